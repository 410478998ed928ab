"""Compose file and its GPU override: containers confined, every name and path one that is there."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from service.compose_variables import COMPOSE_VARIABLES
from service.settings import Settings

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docker-compose.yml"
COMPOSE = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}
OTHERS = sorted(SERVICES.keys() - OURS)

# Folders that the images of others declare as volumes: each that is not mounted becomes an
# anonymous volume with every new container.
DECLARED = {"redis": "/data", "prometheus": "/prometheus", "postgres": "/var/lib/postgresql/data"}

each_service = pytest.mark.parametrize("name", SERVICES)


def environment(name: str) -> dict[str, str]:
    return dict(SERVICES[name].get("environment", {}))


def mounts(name: str) -> dict[str, str]:
    """Sources of mounts by their places, volumes and folders of the host."""
    parts = [each.split(":") for each in SERVICES[name].get("volumes", ())]
    return {part[1]: part[0] for part in parts}


def default_of(value: object) -> str:
    """Value of the compose file where no variable is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def test_plain_up_is_one_service() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["service"]


def test_every_profile_is_there() -> None:
    profiles = {each for service in SERVICES.values() for each in service.get("profiles", ())}
    assert profiles == {"edge", "scale", "watch", "train", "tune"}


@each_service
def test_every_container_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert 0 < service["pids_limit"] <= 1024
    assert re.fullmatch(r"\d+[mg]", default_of(service["mem_limit"]))
    assert float(default_of(service["cpus"])) >= 0
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert all(":size=" in each for each in service.get("tmpfs", ()))


@pytest.mark.parametrize("name", OTHERS)
def test_images_of_others_have_a_version_and_no_root(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert re.match(r"v?\d+", tag)
    uid, _, _ = SERVICES[name]["user"].partition(":")
    assert int(uid) > 0


@each_service
def test_no_volume_is_anonymous(name: str) -> None:
    sources = mounts(name).values()
    assert all(each.startswith("./") or each in COMPOSE["volumes"] for each in sources)
    places = {*mounts(name), *(each.split(":")[0] for each in SERVICES[name].get("tmpfs", ()))}
    assert name not in DECLARED or DECLARED[name] in places


@each_service
def test_what_is_mounted_from_the_host_is_there_and_read_only(name: str) -> None:
    for each in SERVICES[name].get("volumes", ()):
        source, _, rest = each.partition(":")
        if source.startswith("."):
            assert (ROOT / source).exists()
            assert rest.endswith(":ro")


def test_every_declared_volume_is_used() -> None:
    used = {source for name in SERVICES for source in mounts(name).values()}
    assert COMPOSE["volumes"].keys() <= used


def test_the_service_cannot_write_checkpoints_and_trainings_can() -> None:
    writable = {
        name for name in OURS if "checkpoints:/data/checkpoints" in SERVICES[name]["volumes"]
    }
    assert writable == {"train", "tune"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_variables_are_settings_of_the_service(name: str) -> None:
    """The service refuses to start with one that it does not know; what trains needs none."""
    known = {f"STROPHE_{field.upper()}" for field in Settings.model_fields}
    assert environment(name).keys() <= known
    assert bool(environment(name)) is (SERVICES[name]["build"]["target"] == "service")


def test_replicas_share_limits_and_have_names_but_no_port() -> None:
    """A port of the host's is one container's alone, so what has one cannot be many."""
    replica = SERVICES["replica"]
    assert "ports" not in replica
    assert "container_name" not in replica
    assert "STROPHE_REPLICA" in " ".join(replica["entrypoint"])
    found = {key: default_of(value) for key, value in environment("replica").items()}
    assert found["STROPHE_TRUSTED_PROXIES"] == "1"
    storage = urlsplit(found["STROPHE_RATE_LIMIT_STORAGE"])
    assert storage.scheme == "redis"
    assert SERVICES[str(storage.hostname)]["profiles"] == replica["profiles"]


def test_what_a_service_waits_for_is_in_its_profiles_and_networks() -> None:
    for service in SERVICES.values():
        for other in service.get("depends_on", ()):
            assert set(service["profiles"]) <= set(SERVICES[other]["profiles"])
            mine, theirs = (set(s.get("networks", ["default"])) for s in (service, SERVICES[other]))
            assert mine & theirs


def test_only_the_edge_is_published_beyond_the_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    open_ = {
        n for n, ports in published.items() if any(not p.startswith("127.0.0.1:") for p in ports)
    }
    assert open_ == {"edge"}


def test_the_edge_listens_where_compose_publishes() -> None:
    texts = [(ROOT / "deploy/nginx" / f"{kind}.conf").read_text() for kind in ("plain", "tls")]
    listens = {port for text in texts for port in re.findall(r"listen (\d+)", text)}
    assert listens == {port.rpartition(":")[2] for port in SERVICES["edge"]["ports"]}
    checked = urlsplit(SERVICES["edge"]["healthcheck"]["test"][-1])
    assert f"listen {checked.netloc};" in (ROOT / "deploy/nginx/edge.conf").read_text()


def test_the_edge_asks_the_replicas_at_their_port() -> None:
    text = (ROOT / "deploy/nginx/containers.conf").read_text()
    (name, port) = re.findall(r"default ([a-z-]+):(\d+);", text)[0]
    assert name in SERVICES
    assert int(port) == Settings.model_fields["port"].default


def test_streams_have_their_grace_time() -> None:
    drain = Settings.model_fields["drain"].default
    for name in ("service", "replica"):
        assert int(SERVICES[name]["stop_grace_period"].rstrip("s")) >= drain + 5


def test_prometheus_finds_services_and_rules() -> None:
    config = yaml.safe_load((ROOT / "deploy/watch/prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    (names,) = job["dns_sd_configs"]
    assert job["job_name"] == "strophe"  # the alerts ask for it
    assert names["port"] == Settings.model_fields["ops_port"].default
    for name in ("service", "replica"):
        assert names["names"] == SERVICES[name]["networks"]["default"]["aliases"]
    folder = Path("/etc/prometheus")
    assert mounts("prometheus")[str(folder / "prometheus.yml")] == "./deploy/watch/prometheus.yml"
    (rules,) = config["rule_files"]
    assert mounts("prometheus")[str(folder / rules)] == "./docs/prometheus-alerts.yml"


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    folder = ROOT / "deploy/watch/grafana"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())["datasources"]
    address = urlsplit(source["url"])
    assert address.hostname in SERVICES
    assert f":{address.port}" in SERVICES[str(address.hostname)]["ports"][0]
    (provider,) = yaml.safe_load((folder / "dashboards/strophe.yml").read_text())["providers"]
    dashboard = f"{provider['options']['path']}/strophe.json"
    assert mounts("grafana")[dashboard] == "./docs/grafana-dashboard.json"
    assert environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == dashboard


def test_searches_share_a_database_that_only_they_reach() -> None:
    tune, postgres = SERVICES["tune"], SERVICES["postgres"]
    words = list(map(default_of, tune["entrypoint"]))
    source = (ROOT / "training/commands/tune.py").read_text(encoding="utf-8")
    assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z]+", source))
    url = urlsplit(words[words.index("--storage") + 1])
    found = {key: default_of(value) for key, value in environment("postgres").items()}
    assert url.scheme == "postgresql+pg8000"
    assert (url.username, url.password) == (found["POSTGRES_USER"], found["POSTGRES_PASSWORD"])
    assert (url.hostname, url.path[1:]) == ("postgres", found["POSTGRES_DB"])
    assert tune["networks"] == postgres["networks"] == ["study"]
    assert COMPOSE["networks"]["study"]["internal"] is True
    assert [n for n, s in SERVICES.items() if "study" in s.get("networks", ())] == [
        "tune",
        "postgres",
    ]


def test_the_gpu_override_changes_services_that_are_there() -> None:
    found = yaml.safe_load((ROOT / "deploy/compose/gpu.yml").read_text(encoding="utf-8"))
    assert found["services"].keys() <= OURS
    for name, service in found["services"].items():
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert device["capabilities"] == ["gpu"]
        assert service["image"] == f"{SERVICES[name]['image']}:cuda"


def test_variables_of_the_compose_file_stand_in_the_manual() -> None:
    text = (ROOT / "docs/containers.md").read_text(encoding="utf-8")
    names = set(re.findall(r"\$\{(\w+)", FILE.read_text(encoding="utf-8")))
    known = {f"STROPHE_{field.upper()}" for field in Settings.model_fields}
    assert not [name for name in names - known if f"| `{name}` |" not in text]
    assert {name for name in names - known if name.startswith("STROPHE_")} == COMPOSE_VARIABLES


@pytest.fixture
def edge_folder(tmp_path: Path) -> Path:
    """Folder of the edge's files, which write below the test's own folder."""
    folder = tmp_path / "nginx"
    shutil.copytree(ROOT / "deploy/nginx", folder)
    for path in folder.iterdir():
        if path.is_file():
            path.write_text(path.read_text().replace("/tmp/", f"{tmp_path}/"))
    return folder


def started(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the edge's start script, with an nginx that only says how it was called."""
    program = folder.parent / "bin" / "nginx"
    program.parent.mkdir(exist_ok=True)
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{program.parent}:/usr/bin:/bin"}
    command = [str(folder / "start")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("listen", ["plain", "tls"])
def test_the_edge_speaks_tls_where_there_is_a_certificate(edge_folder: Path, listen: str) -> None:
    if listen == "tls":
        for name in ("fullchain.pem", "privkey.pem"):
            (edge_folder / "tls" / name).touch()
    ended = started(edge_folder)
    assert ended.stdout == f"-c {edge_folder}/edge.conf -g daemon off;\n"
    assert (edge_folder.parent / "listen.conf").resolve() == edge_folder / f"{listen}.conf"


@pytest.mark.parametrize("name", ["fullchain.pem", "privkey.pem"])
def test_half_a_certificate_is_refused_and_never_plain_http(edge_folder: Path, name: str) -> None:
    """Also a link that leads out of the mounted folder, as those of certbot do."""
    (edge_folder / "tls" / name).symlink_to("../../archive/1.pem")
    ended = started(edge_folder)
    assert ended.returncode == 1
    assert ended.stderr.startswith("edge: tls/fullchain.pem cannot be read by user")
    assert not (edge_folder.parent / "listen.conf").exists()
