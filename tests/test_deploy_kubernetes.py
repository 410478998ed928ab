"""Kubernetes manifests: against the API's schemas, and against what the service itself says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import Settings
from training.flag_names import flag_of
from training.train_config import TrainConfig

ROOT = Path(__file__).parent.parent / "deploy" / "kubernetes"
VERSIONS = ("1.31", "1.35")
OF_OTHERS = ("keda.sh", "gateway.networking.k8s.io")  # whose schemas Kubernetes does not have

Manifest = dict[str, Any]


def documents(path: Path) -> Iterator[Manifest]:
    yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


FILES = sorted(path for path in ROOT.rglob("*.yaml") if path.name != "kustomization.yaml")
KUSTOMIZATIONS = sorted(ROOT.rglob("kustomization.yaml"))
MANIFESTS = [(path.name, each) for path in FILES for each in documents(path)]
DEPLOYMENT = next(each for name, each in MANIFESTS if name == "deployment.yaml")
POD = DEPLOYMENT["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "manifest", [pytest.param(each, id=f"{each['kind']}-{name}") for name, each in MANIFESTS]
)
def test_a_manifest_is_what_the_api_takes(manifest: Manifest, version: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    if manifest["apiVersion"].startswith(OF_OTHERS):
        pytest.skip("a resource of another project's")
    kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schemas_refuse_what_is_wrong() -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    wrong = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replcas": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_a_kustomization_names_files_that_are_there_and_all_of_its_own(path: Path) -> None:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    named = [*found.get("resources", ()), *found.get("components", ())]
    assert all((path.parent / each).exists() for each in named)
    own = {each.name for each in path.parent.glob("*.yaml")} - {path.name}
    assert own <= set(named)


def variables() -> set[str]:
    """Environment variables of the service that any file names."""
    texts = (path.read_text(encoding="utf-8") for path in ROOT.rglob("*.yaml"))
    return {found for text in texts for found in re.findall(r"STROPHE_[A-Z_]+", text)}


def test_variables_are_settings_of_the_service() -> None:
    known = {f"STROPHE_{name.upper()}" for name in Settings.model_fields}
    assert variables() <= known
    assert "STROPHE_DEFAULT_MODEL" in variables()


def test_ports_and_probes_are_the_services() -> None:
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    defaults = Settings.model_fields
    assert ports == {"http": defaults["port"].default, "ops": defaults["ops_port"].default}
    probes = {name: CONTAINER[f"{name}Probe"]["httpGet"] for name in PATHS}
    assert {name: probe["path"] for name, probe in probes.items()} == PATHS
    assert {probe["port"] for probe in probes.values()} == {"ops"}


PATHS = {"startup": "/readyz", "readiness": "/readyz", "liveness": "/healthz"}


def test_a_pod_has_time_to_be_seen_leaving_and_to_end_its_streams() -> None:
    """preStop, then SIGTERM and the drain, all within the grace period."""
    (_, unseen_s) = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    base = yaml.safe_load((ROOT / "base" / "kustomization.yaml").read_text(encoding="utf-8"))
    literals = dict(each.split("=") for each in base["configMapGenerator"][0]["literals"])
    needed = int(unseen_s) + int(literals["STROPHE_DRAIN"])
    assert POD["terminationGracePeriodSeconds"] >= needed + 5
    readiness = CONTAINER["readinessProbe"]
    assert int(unseen_s) > readiness["periodSeconds"] * readiness["failureThreshold"]
    rolling = DEPLOYMENT["spec"]["strategy"]["rollingUpdate"]
    assert (rolling["maxUnavailable"], rolling["maxSurge"]) == (0, 1)


def containers(value: object) -> Iterator[tuple[Manifest, Manifest]]:
    """Every pod's spec below a value, with each of its containers."""
    if isinstance(value, dict):
        for container in value.get("containers", ()):
            yield value, container
        for each in value.values():
            yield from containers(each)
    if isinstance(value, list):
        for each in value:
            yield from containers(each)


@pytest.mark.parametrize(
    ("pod", "container"),
    [pytest.param(*each, id=name) for name, value in MANIFESTS for each in containers(value)],
)
def test_every_pod_is_confined(pod: Manifest, container: Manifest) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in container["resources"]["limits"]
    for volume in pod.get("volumes", ()):
        assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""})


def test_the_service_cannot_write_checkpoints_and_trainings_can() -> None:
    mounts = {
        name: {mount["name"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}
        for name, value in MANIFESTS
        for _, container in containers(value)
        if "volumeMounts" in container
    }
    assert mounts["deployment.yaml"]["checkpoints"] is True
    assert mounts["train.yaml"]["checkpoints"] is mounts["fine-tune.yaml"]["checkpoints"] is False


@pytest.mark.parametrize("name", ["train.yaml", "fine-tune.yaml"])
def test_flags_of_trainings_are_the_commands(name: str) -> None:
    value = next(each for file, each in MANIFESTS if file == name and each["kind"] != "Service")
    (_, container) = next(containers(value))
    words = " ".join(container["args"]).split("train ", 1)[1].replace("=", " ").split()
    flags = {word for word in words if word.startswith("--")}
    assert flags <= set(map(flag_of, TrainConfig.model_fields))
