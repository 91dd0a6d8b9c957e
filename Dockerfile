# Apache Airflow's official image, which brings the operating system, the unprivileged user and the
# entry point. The stack itself is a virtual environment of its own: exactly the versions and hashes
# of requirements.txt, which the tests ran with. Installed over the image's own packages, it would
# change versions under providers that this project never tried.
FROM apache/airflow:3.3.2-python3.12

ENV VIRTUAL_ENV=/home/airflow/xero-venv \
    PATH=/home/airflow/xero-venv/bin:$PATH

COPY --chown=airflow:root LICENSE NOTICE README.md pyproject.toml requirements.txt /opt/airflow/project/
COPY --chown=airflow:root include /opt/airflow/project/include

# As constraints, the lock pins what the project needs and nothing that only its tests need; uv
# compares every download with the hashes found there.
RUN pip install --no-cache-dir uv==0.13.8 \
    && uv venv --no-cache "$VIRTUAL_ENV" \
    && uv pip install --no-cache --verify-hashes --constraint /opt/airflow/project/requirements.txt \
        /opt/airflow/project \
    && mkdir -p /opt/airflow/auth /opt/airflow/sandbox

COPY --chown=airflow:root dags /opt/airflow/dags
COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root dbt /opt/airflow/dbt
