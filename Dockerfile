# Two stages: one installs into a virtual environment, the other holds only that.
#
#   docker build -t strophe .
#   docker build -t strophe:cuda --build-arg TORCH_INDEX_URL=<index of the CUDA build> .

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# One more index to find the torch wheel in; empty takes the default build.
ARG TORCH_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/strophe
ENV PATH=/opt/strophe/bin:$PATH
WORKDIR /src
# Torch by itself, the first of the range: the largest layer changes only when its version does.
COPY pyproject.toml .
RUN pip install ${TORCH_INDEX_URL:+--extra-index-url $TORCH_INDEX_URL} \
    "$(sed -n 's/.*"torch>=\([0-9.]*\),.*/torch==\1/p' pyproject.toml)"
COPY README.md LICENSE strophe.py ./
COPY model model
COPY training training
COPY verse verse
COPY service service
RUN pip install ".[serve,redis,trace,train,texts]"
# Decode kernels, compiled for this CPU rather than the one at hand, so that a container finds them
# wherever it runs: any x86-64 with AVX2. For another kind: KERNEL_CPU=generic KERNEL_FEATURES=
ARG KERNEL_CPU=haswell
ARG KERNEL_FEATURES=+avx2
RUN cd / && NUMBA_CPU_NAME=$KERNEL_CPU NUMBA_CPU_FEATURES=$KERNEL_FEATURES \
    STROPHE_CACHE=/data/cache sh -c 'python3 -m model.decoding && python3 -m verse.composer'

FROM ${PYTHON_IMAGE}
ARG KERNEL_CPU=haswell
ARG KERNEL_FEATURES=+avx2
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin strophe \
    && mkdir -p /data/cache /data/checkpoints /data/runs \
    && chown -R strophe:strophe /data
COPY --from=build /opt/strophe /opt/strophe
COPY --from=build --chown=strophe:strophe /data/cache /data/cache
ENV PATH=/opt/strophe/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    STROPHE_CACHE=/data/cache \
    NUMBA_CPU_NAME=$KERNEL_CPU \
    NUMBA_CPU_FEATURES=$KERNEL_FEATURES \
    STROPHE_HOST=0.0.0.0
# Checkpoints and runs are looked for below the working directory.
WORKDIR /data
USER strophe
EXPOSE 8000 8001
VOLUME ["/data/cache", "/data/checkpoints", "/data/runs"]
# Ready and not only alive: a worker on its way up, again and again, would be called healthy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8001/readyz', timeout=4)"]
CMD ["strophe", "serve"]
