"""The log's keys in a process of their own: it signs checkpoints that continue the last, no other.

Who takes over the service can then ask for signatures, but not for a fork's: `signer` keeps on disk
what it signed last and asks for an RFC 9162 consistency proof from there. `protocol` is what
travels over the Unix socket, `server` listens there, `client` asks.
"""
