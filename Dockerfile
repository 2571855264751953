# One target per image: api, ui, pipeline and sandbox. Each image has only the packages in its own lock
# file and the code that it may import. Build one with:
#   docker build --target api --build-arg GIT_COMMIT="$(git rev-parse HEAD)" --tag movie-rating-api .

FROM python:3.11-slim-bookworm AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2
WORKDIR /srv


# The tools that install packages. The final images are not built from this stage, so they do not
# contain these tools.
FROM base AS installer
ENV UV_PYTHON_DOWNLOADS=never \
    UV_SYSTEM_CERTS=1 \
    UV_NO_CACHE=1
COPY requirements/uv.txt requirements/
RUN python -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --require-hashes --requirement requirements/uv.txt \
    && /opt/uv/bin/uv venv --python /usr/local/bin/python /opt/venv


# The health checks go round a proxy, which the environment may name: it cannot reach a container.
# Every container runs as a user that is not root and cannot log in; its home folder is temporary.
# tini is process 1 in every container: it passes signals on and removes ended orphan processes.
FROM base AS runtime
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 1000 app \
    && useradd --uid 1000 --gid app --no-create-home --home-dir /tmp --shell /usr/sbin/nologin app
ENV HOME=/tmp
ENTRYPOINT ["tini", "--"]


FROM installer AS api-packages
COPY requirements/api.txt requirements/
# Compile bytecode now, because containers with a read-only file system cannot write it.
RUN /opt/uv/bin/uv pip sync --require-hashes --compile-bytecode --python /opt/venv/bin/python \
    requirements/api.txt
# Delete 70 MB that the API does not use: the libraries' tests, ONNX Runtime's tools, AWS services
# other than S3 and those for signing in, and names in languages other than English and Korean. Babel
# must still know which languages exist, so their files stay, but empty.
WORKDIR /opt/venv/lib/python3.11/site-packages
RUN find . -type d -name tests -prune -exec rm -r {} + \
    && rm -r onnxruntime/quantization onnxruntime/tools onnxruntime/transformers \
    && find botocore/data -mindepth 1 -maxdepth 1 -type d \
    ! -name s3 ! -name sts ! -name 'sso*' ! -name signin -exec rm -r {} + \
    && find babel/locale-data -type f ! -name en.dat ! -name ko.dat ! -name root.dat \
    -exec truncate --size 0 {} +

FROM runtime AS api
# Create the folder of the model cache with the right owner, because a new volume gets its owner from
# the folder where it is mounted.
RUN install --directory --owner app --group app app/model
COPY --from=api-packages /opt/venv /opt/venv
COPY movierating movierating
COPY app app
USER 1000:1000
EXPOSE 8000
# Checks /livez and not /readyz: the API is not ready before a model is published, and a restart would
# not help.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "from urllib.request import ProxyHandler, build_opener; \
    build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/livez', timeout=4)"]
CMD ["python", "-m", "app.server", "--host", "0.0.0.0", "--port", "8000"]
ARG GIT_COMMIT=unknown
ENV GIT_COMMIT=$GIT_COMMIT
LABEL org.opencontainers.image.title="Movie rating forecast: API" \
    org.opencontainers.image.description="Forecasts the TMDB rating of a film over HTTP" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.revision=$GIT_COMMIT


FROM installer AS ui-packages
COPY requirements/ui.txt requirements/
RUN /opt/uv/bin/uv pip sync --require-hashes --compile-bytecode --python /opt/venv/bin/python \
    requirements/ui.txt

FROM runtime AS ui
COPY --from=ui-packages /opt/venv /opt/venv
COPY .streamlit .streamlit
COPY ui ui
COPY app.py .
USER 1000:1000
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "from urllib.request import ProxyHandler, build_opener; \
    build_opener(ProxyHandler({})).open('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "ui.serve", "--host", "0.0.0.0", "--port", "8501"]
ARG GIT_COMMIT=unknown
ENV GIT_COMMIT=$GIT_COMMIT
LABEL org.opencontainers.image.title="Movie rating forecast: UI" \
    org.opencontainers.image.description="A web page that forecasts the TMDB rating of a film" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.revision=$GIT_COMMIT


FROM installer AS pipeline-packages
COPY requirements/pipeline.txt requirements/
RUN /opt/uv/bin/uv pip sync --require-hashes --compile-bytecode --python /opt/venv/bin/python \
    requirements/pipeline.txt

FROM runtime AS pipeline
# LightGBM needs the OpenMP library libgomp.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
# Airflow's Helm chart starts its health checks with `/entrypoint COMMAND`, so make `/entrypoint` run
# the command.
RUN install --directory --owner app --group app \
    /var/lib/airflow /var/log/airflow /srv/data-prepare \
    && ln -s /usr/bin/env /entrypoint
COPY --from=pipeline-packages /opt/venv /opt/venv
COPY movierating movierating
COPY scripts scripts
COPY dags dags
COPY airflow_local_settings airflow_local_settings
ENV PYTHONPATH=/srv \
    ARROW_DEFAULT_MEMORY_POOL=system \
    DATA_DIR=data-prepare \
    AIRFLOW_HOME=/var/lib/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/srv/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=/var/log/airflow \
    AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY=/var/log/airflow/dag_processor
USER 1000:1000
EXPOSE 8080
# Asks Airflow's API server whether the part of Airflow in this container is healthy: AIRFLOW_PART is
# `scheduler`, `dag_processor` or, by default, `metadatabase` (the database). Airflow's own check would
# start a second Airflow process with 150 MB each time.
HEALTHCHECK --interval=15s --timeout=10s --start-period=90s CMD ["python", "-c", \
    "import json, os; from urllib.request import ProxyHandler, build_opener; \
    server = os.environ.get('AIRFLOW__CORE__EXECUTION_API_SERVER_URL', 'http://127.0.0.1:8080/execution/'); \
    health = server.removesuffix('execution/') + 'api/v2/monitor/health'; \
    answer = build_opener(ProxyHandler({})).open(health, timeout=8); \
    status = json.load(answer)[os.environ.get('AIRFLOW_PART', 'metadatabase')]['status']; \
    raise SystemExit(status != 'healthy')"]
CMD ["airflow", "api-server"]
ARG GIT_COMMIT=unknown
ENV GIT_COMMIT=$GIT_COMMIT
LABEL org.opencontainers.image.title="Movie rating forecast: pipeline" \
    org.opencontainers.image.description="Trains the forecast model on TMDB every day, in Airflow" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.revision=$GIT_COMMIT


# Local replacements for S3 and TMDB, for `make trial`. This image is never deployed.
FROM installer AS sandbox-packages
COPY requirements/sandbox.txt requirements/
RUN /opt/uv/bin/uv pip sync --require-hashes --compile-bytecode --python /opt/venv/bin/python \
    requirements/sandbox.txt

FROM runtime AS sandbox
RUN install --directory --owner app --group app /srv/s3
COPY --from=sandbox-packages /opt/venv /opt/venv
COPY movierating movierating
COPY sandbox sandbox
USER 1000:1000
EXPOSE 8090 8333
# SANDBOX_HEALTH is the address to check; the default is the TMDB stand-in's.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "import os; from urllib.request import ProxyHandler, build_opener; \
    address = os.environ.get('SANDBOX_HEALTH', 'http://127.0.0.1:8090/stats'); \
    build_opener(ProxyHandler({})).open(address, timeout=4)"]
CMD ["python", "-m", "sandbox.tmdb", "--host", "0.0.0.0", "--port", "8090"]
ARG GIT_COMMIT=unknown
ENV GIT_COMMIT=$GIT_COMMIT
LABEL org.opencontainers.image.title="Movie rating forecast: sandbox" \
    org.opencontainers.image.description="Replaces S3 and TMDB for a trial on one machine" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.revision=$GIT_COMMIT
