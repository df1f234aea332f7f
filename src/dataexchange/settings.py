"""The environment. Only the doors read it; rooms are given what they need."""

import os
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the service, from `DATAEXCHANGE_…` variables.

    Without a database URL an embedded PostgreSQL runs in `data_folder`. With one,
    `owner_database_url` is the login that owns the tables and migrates them; it is the same login
    where it is not given, and the service gives its rights up after migrating.

    `policy_file` is the C2SP tlog-policy of this log's readers: its witnesses are asked to cosign,
    each at the URL of its line. The log's files are published to `publish_to`, a folder or
    `s3://bucket/prefix`, and with entry bundles to `publish_entries_to`, at most once per period;
    the log is compared with them at the start, and with `anchor_contract` (CAIP-10) through
    `anchor_rpc_url`. With `confirm_before_writing` nothing is written after a start until one of
    these confirmed the log. `anchors_folder` is the anchoring worker's, whose receipts are handed
    out. `metrics_token_file` (0600) holds the token that opens `GET /metrics`; without it there is
    none.
    """

    model_config = SettingsConfigDict(env_prefix="DATAEXCHANGE_", extra="ignore")

    database_url: str | None = None
    owner_database_url: str | None = None
    data_folder: Path = Path(".dataexchange")
    origin: str = "localhost/dataexchange"
    log_key_file: Path | None = None
    policy_file: Path | None = None
    publish_to: str | None = None
    publish_entries_to: str | None = None
    publish_period_seconds: float = 10
    confirm_before_writing: bool = False
    anchors_folder: Path | None = None
    anchor_contract: str | None = None
    anchor_rpc_url: str | None = None
    opening_key_file: Path | None = None
    opening_keys_folder: Path | None = None
    signer_socket: Path | None = None
    operator_key: str | None = None
    metrics_token_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8600
    body_bytes_max: int = 16 * 1024 * 1024
    content_bytes_max: int = 4 * 1024 * 1024 * 1024
    preview_seconds_max: float = 10

    @property
    def log_key_paths(self) -> tuple[Path, ...]:
        """Where the keys that sign checkpoints are kept; several are joined as in PATH."""
        named = self.log_key_file or self.data_folder / "log.key"
        return tuple(map(Path, str(named).split(os.pathsep)))

    @property
    def anchors_path(self) -> Path:
        """The folder of the anchoring worker."""
        return self.anchors_folder or self.data_folder / "anchors"

    @property
    def opening_key_path(self) -> Path:
        """Where the key is kept that wraps the keys of openings."""
        return self.opening_key_file or self.data_folder / "openings.key"

    @property
    def opening_keys_path(self) -> Path:
        """The folder of the keys of openings, which no backup of the database may hold."""
        return self.opening_keys_folder or self.data_folder / "opening-keys"


class WitnessSettings(BaseSettings):
    """Settings of a witness that is served, from `DATAEXCHANGE_WITNESS_…` variables.

    `logs_file` is a C2SP tlog-policy whose `log` lines are the logs to cosign for; `logs` are
    further vkeys.
    """

    model_config = SettingsConfigDict(env_prefix="DATAEXCHANGE_WITNESS_", extra="ignore")

    key_file: Path = Path("witness.key")
    logs_file: Path | None = None
    logs: tuple[str, ...] = ()
    store: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8601

    @property
    def store_path(self) -> Path:
        """Where the witness remembers what it cosigned: beside its key."""
        return self.store or self.key_file.with_suffix(".sqlite")
