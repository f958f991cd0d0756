"""The settings of a server: the folder of its rooms, the slicing of time, and its limits."""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_SCENARIO = "pageviews"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one server, fixed while it runs; each name ends with its unit."""

    data_dir: Path
    scenario: str = DEFAULT_SCENARIO
    host: str = "127.0.0.1"
    trusted_proxies: int = 0
    public_url: str = ""

    slice_us: int = 40_000
    slice_budget_us: int = 25_000
    command_timeout_ms: int = 10_000

    sleep_after_s: int = 300
    unload_after_s: int = 1_800
    untouched_room_expires_after_s: int = 86_400
    room_expires_after_s: int = 14 * 86_400

    rooms_at_most: int = 2_000
    rooms_per_client_at_most: int = 1_000  # a class of 300 behind one address, each with a room and some forks
    disk_bytes_at_most: int = 32 * 1024 * 1024 * 1024
    disk_bytes_per_client_at_most: int = 16 * 1024 * 1024 * 1024
    rooms_in_memory_at_most: int = 400
    rooms_per_minute_and_address: int = 600
    forks_per_minute_and_address: int = 40  # each replays a room, which takes seconds if its past is long
    forks_at_once: int = 2
    fork_timeout_s: int = 20
    room_bytes_at_most: int = 128 * 1024 * 1024
    pending_bytes_at_most: int = 512 * 1024 * 1024
    produce_records_at_most: int = 1_000
    produce_bytes_at_most: int = 1_000_000
    body_bytes_at_most: int = 2_000_000
    log_read_bytes_at_most: int = 4 * 1024 * 1024

    message_bytes_at_most: int = 16 * 1024  # a pull of 4,096 characters
    viewers_at_most: int = 1_500
    viewers_per_client_at_most: int = 1_000
    viewers_per_room_at_most: int = 600
