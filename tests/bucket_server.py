"""A real S3 server on a local port, for tests of what writes to buckets."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@contextmanager
def serving_bucket(bucket: str, environment: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve a new bucket, which the environment's endpoint and credentials reach."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        # What an earlier server held lives in this process.
        httpx.post(f"{endpoint}/moto-api/reset").raise_for_status()
        for name, value in (*KEYS.items(), ("AWS_ENDPOINT_URL", endpoint)):
            environment.setenv(name, value)
        environment.setenv("AWS_ALLOW_HTTP", "true")
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        client.create_bucket(Bucket=bucket)
        client.close()
        yield
    finally:
        server.stop()
