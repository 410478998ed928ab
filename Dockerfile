# Two images: the service, and the training, which has readers, plots and searches beside it.
#
#   docker build -t strophe .
#   docker build -t strophe-train --target train .
#   docker build -t strophe:cuda --build-arg TORCH_INDEX_URL=<index of the CUDA build> .
#   docker build -t strophe --build-arg EXTRAS=s3 .      checkpoints from a store (docs/stores.md)

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS torch
# One more index to find the torch wheel in; empty takes the default build.
ARG TORCH_INDEX_URL=
# Bytecode is kept of what is imported below, not of all that is installed: that is 150 MB less.
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/strophe
ENV PATH=/opt/strophe/bin:$PATH
WORKDIR /src
# Torch by itself, the first of the range: the largest layer changes only when its version does.
# Without its own tests, and what other programs are compiled with.
COPY pyproject.toml .
RUN pip install --no-compile ${TORCH_INDEX_URL:+--extra-index-url $TORCH_INDEX_URL} \
    "$(sed -n 's/.*"torch>=\([0-9.]*\),.*/torch==\1/p' pyproject.toml)" \
    && cd /opt/strophe/lib/python3*/site-packages/torch \
    && rm -rf test include && find bin -type f ! -name torch_shm_manager -delete

FROM torch AS sources
COPY README.md LICENSE strophe.py ./
COPY model model
COPY training training
COPY verse verse
COPY service service
# Decode kernels, compiled for this CPU rather than the one at hand, so that a container finds them
# wherever it runs: any x86-64 with AVX2. For another kind: KERNEL_CPU=generic KERNEL_FEATURES=
ARG KERNEL_CPU=haswell
ARG KERNEL_FEATURES=+avx2
ENV NUMBA_CPU_NAME=$KERNEL_CPU NUMBA_CPU_FEATURES=$KERNEL_FEATURES STROPHE_CACHE=/data/cache

FROM sources AS service-files
# Others than the service always has, with commas between them.
ARG EXTRAS=
RUN pip install --no-compile ".[serve,redis,trace${EXTRAS:+,$EXTRAS}]" \
    && cd / && python3 -m model.decoding && python3 -m verse.composer \
    && python3 -c "import service.server.service_process, service.server.gunicorn_app, service.server.gunicorn_worker"
# What is in the image, as CycloneDX, by a tool that is not.
RUN python3 -m venv /tmp/sbom && /tmp/sbom/bin/pip install cyclonedx-bom \
    && /tmp/sbom/bin/cyclonedx-py environment /opt/strophe/bin/python3 -o /opt/strophe/sbom.cdx.json \
    && rm -rf /tmp/sbom && pip uninstall --yes setuptools pip

FROM sources AS training-files
RUN pip install --no-compile ".[train,texts,postgresql]" && cd / && python3 -m model.decoding && python3 -m verse.composer

FROM ${PYTHON_IMAGE} AS runtime
ARG KERNEL_CPU=haswell
ARG KERNEL_FEATURES=+avx2
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin strophe \
    && mkdir -p /data/cache /data/checkpoints /data/runs \
    && chown -R strophe:strophe /data
ENV PATH=/opt/strophe/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STROPHE_CACHE=/data/cache \
    NUMBA_CPU_NAME=$KERNEL_CPU \
    NUMBA_CPU_FEATURES=$KERNEL_FEATURES
# Checkpoints and runs are looked for below the working directory.
WORKDIR /data

FROM runtime AS train
COPY --from=training-files /opt/strophe /opt/strophe
COPY --from=training-files --chown=strophe:strophe /data/cache /data/cache
ENV MPLCONFIGDIR=/tmp/matplotlib
USER strophe
ENTRYPOINT ["strophe"]
CMD ["train"]

FROM runtime AS service
COPY --from=service-files /opt/strophe /opt/strophe
COPY --from=service-files --chown=strophe:strophe /data/cache /data/cache
ENV STROPHE_HOST=0.0.0.0
USER strophe
EXPOSE 8000 8001
# Ready and not only alive: a worker on its way up, again and again, would be called healthy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8001/readyz', timeout=4)"]
CMD ["strophe", "serve"]
