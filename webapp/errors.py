"""The errors of the web side, subclasses of the engine's, and the HTTP status of every error."""

from http import HTTPStatus

from engine import errors
from engine.errors import OffsetscopeError


class InvalidRequest(OffsetscopeError):
    """A request's query, form or body is invalid: a field is missing, unknown or of the wrong type."""

    code = "invalid_request"


class UnknownPage(OffsetscopeError):
    """Nothing is served at this address."""

    code = "unknown_page"


class MethodNotAllowed(OffsetscopeError):
    """The address exists, but not for this method."""

    code = "method_not_allowed"


class BodyTooLarge(OffsetscopeError):
    """The body of a request is over the limit."""

    code = "body_too_large"


class UnsupportedMediaType(OffsetscopeError):
    """The body is not of the type this address reads."""

    code = "unsupported_media_type"


class UpgradeNeeded(OffsetscopeError):
    """The feed was requested over plain HTTP."""

    code = "upgrade_needed"


class InternalFault(OffsetscopeError):
    """An error in the server's own code; the server's log has the details."""

    code = "internal_fault"
    definite = False


# --- permissions ----------------------------------------------------------------------------------------------


class PresenterKeyNeeded(OffsetscopeError):
    """The request would change a room and has no presenter key."""

    code = "presenter_key_needed"


class WrongPresenterKey(OffsetscopeError):
    """The presenter key is not this room's."""

    code = "wrong_presenter_key"


class ForeignOrigin(OffsetscopeError):
    """A page of another site sent the request from a visitor's browser."""

    code = "foreign_origin"


# --- rooms ------------------------------------------------------------------------------------------------


class PublicUrlInvalid(OffsetscopeError):
    """The configured public address is not an address of http or https."""

    code = "public_url_invalid"


class ForeignHost(OffsetscopeError):
    """The request names a host that is not this server."""

    code = "foreign_host"


class UnknownRoom(OffsetscopeError):
    """There is no such room, or it has expired."""

    code = "unknown_room"


class UnknownSegment(errors.UnknownName):
    """A log has no segment file of this name, or no longer has it."""

    code = "unknown_segment"


class RoomDamaged(OffsetscopeError):
    """The room's files cannot be read back."""

    code = "room_damaged"


class RoomFailed(OffsetscopeError):
    """The room's engine failed by an error in its own code, and the room has stopped for good."""

    code = "room_failed"
    definite = False


class RoomSuspended(OffsetscopeError):
    """The room is suspended by a fault of the machine until it can be restored; nothing is journaled meanwhile."""

    code = "room_suspended"


class CommandUnsettled(RoomSuspended):
    """The machine failed while a command was being logged or applied; if it was logged, it will be applied."""

    code = "command_unsettled"
    definite = False


class CommandTimedOut(OffsetscopeError):
    """A command was not applied in time; it may still be applied."""

    code = "command_timed_out"
    definite = False


class ServerStopping(OffsetscopeError):
    """The server is stopping."""

    code = "server_stopping"


class DataDirectoryUnusable(OffsetscopeError):
    """The data folder cannot be created, written or locked."""

    code = "data_directory_unusable"


# --- limits ---------------------------------------------------------------------------------------------


class TooManyRooms(OffsetscopeError):
    """The server holds as many rooms as it may."""

    code = "too_many_rooms"


class RoomsTooFast(OffsetscopeError):
    """One address made too many rooms in a minute."""

    code = "rooms_too_fast"


class TooManyForks(OffsetscopeError):
    """Other forks were replaying, and this fork did not get its turn in time."""

    code = "too_many_forks"


class ForkGivenUp(OffsetscopeError):
    """A fork was cancelled by the client that waited for it; no room was made."""

    code = "fork_given_up"


class RoomReadOnly(OffsetscopeError):
    """A part of the room's command log is damaged; what came before can be looked at and forked."""

    code = "room_read_only"


class RoomFull(OffsetscopeError):
    """The room's files have reached the limit."""

    code = "room_full"


class TooMuchPending(OffsetscopeError):
    """All rooms together hold as many bytes in memory as they may: in queues, in flight, waiting for disks."""

    code = "too_much_pending"


class ProduceTooLarge(OffsetscopeError):
    """One produce command carries too many records or bytes."""

    code = "produce_too_large"


class TooManyViewers(OffsetscopeError):
    """The room, or the server, has as many viewers as it may."""

    code = "too_many_viewers"


# --- the feed ---------------------------------------------------------------------------------------------


class InvalidPull(OffsetscopeError):
    """A frame on the feed is not a pull."""

    code = "invalid_pull"


class CreditTooSmall(OffsetscopeError):
    """The next event is larger than the whole credit of the pull."""

    code = "credit_too_small"


STATUSES: dict[type[OffsetscopeError], HTTPStatus] = {
    OffsetscopeError: HTTPStatus.BAD_REQUEST,
    errors.InvalidMessage: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidMessageSize: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnsupportedCodec: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.MessageTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.OffsetOutOfRange: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    errors.LogGap: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.LogClosed: HTTPStatus.CONFLICT,
    errors.StorageFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.MachineFault: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.UnknownName: HTTPStatus.NOT_FOUND,
    errors.NameTaken: HTTPStatus.CONFLICT,
    errors.WrongState: HTTPStatus.CONFLICT,
    errors.NoBrokerAvailable: HTTPStatus.CONFLICT,
    errors.NodeExists: HTTPStatus.CONFLICT,
    errors.NoNode: HTTPStatus.NOT_FOUND,
    errors.SessionExpired: HTTPStatus.CONFLICT,
    UnknownPage: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UpgradeNeeded: HTTPStatus.UPGRADE_REQUIRED,
    InternalFault: HTTPStatus.INTERNAL_SERVER_ERROR,
    PresenterKeyNeeded: HTTPStatus.UNAUTHORIZED,
    WrongPresenterKey: HTTPStatus.FORBIDDEN,
    ForeignOrigin: HTTPStatus.FORBIDDEN,
    ForeignHost: HTTPStatus.MISDIRECTED_REQUEST,
    UnknownRoom: HTTPStatus.NOT_FOUND,
    RoomDamaged: HTTPStatus.INTERNAL_SERVER_ERROR,
    RoomFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
    RoomSuspended: HTTPStatus.SERVICE_UNAVAILABLE,
    CommandUnsettled: HTTPStatus.SERVICE_UNAVAILABLE,
    CommandTimedOut: HTTPStatus.SERVICE_UNAVAILABLE,
    ServerStopping: HTTPStatus.SERVICE_UNAVAILABLE,
    PublicUrlInvalid: HTTPStatus.INTERNAL_SERVER_ERROR,
    DataDirectoryUnusable: HTTPStatus.INTERNAL_SERVER_ERROR,
    TooManyRooms: HTTPStatus.TOO_MANY_REQUESTS,
    RoomsTooFast: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyForks: HTTPStatus.TOO_MANY_REQUESTS,
    ForkGivenUp: HTTPStatus.CONFLICT,
    RoomReadOnly: HTTPStatus.CONFLICT,
    RoomFull: HTTPStatus.CONFLICT,
    TooMuchPending: HTTPStatus.TOO_MANY_REQUESTS,
    ProduceTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooManyViewers: HTTPStatus.TOO_MANY_REQUESTS,
}


def status_of(error: OffsetscopeError) -> HTTPStatus:
    """Return the status of the error's class, or of its nearest base class that has one."""
    return next(STATUSES[known] for known in type(error).__mro__ if known in STATUSES)
