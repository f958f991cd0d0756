"""Errors around a broker on a socket."""

from engine.errors import OffsetscopeError


class DataFolderUnusable(OffsetscopeError):
    """The folder of the logs cannot be made, written or locked."""

    code = "data_folder_unusable"


class AddressUnusable(OffsetscopeError):
    """The port is taken, or the host is not an address of this machine."""

    code = "address_unusable"


class TooManyPartitions(OffsetscopeError):
    """The broker holds as many logs as it has file handles for."""

    code = "too_many_partitions"


class UnknownCompression(OffsetscopeError):
    """The client does not support a compression of that name."""

    code = "unknown_compression"


class BrokerUnreachable(OffsetscopeError):
    """No broker accepts connections at the address, so nothing was sent."""

    code = "broker_unreachable"


class ConnectionBroken(OffsetscopeError):
    """The connection ended before a response arrived, or while bytes were being sent."""

    code = "connection_broken"
    definite = False
