"""Client identity for limits: an API key's name where there are keys, else the address."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import g, request

HOME_BITS = 64  # of an IPv6 address: what one customer has to himself


def client_id() -> str:
    """Identity of the client that sends this request; never the key itself."""
    name = g.get("key_name")
    return f"address:{counted_address(request.remote_addr)}" if name is None else f"key:{name}"


def counted_address(address: str | None) -> str:
    """Address to count, or the /64 network of an IPv6 address: each request may use another.

    What is no address (a proxy may write anything) is counted together.
    """
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:  # how a socket on :: shows an IPv4 client
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed), HOME_BITS), strict=False))
    return str(parsed)
