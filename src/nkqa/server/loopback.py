"""Which addresses only this machine can reach."""

from ipaddress import ip_address

NAMES = ("localhost", "127.0.0.1", "[::1]")


def is_loopback(host: str) -> bool:
    """Return whether listening on `host` lets only this machine in; no name but localhost counts."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
