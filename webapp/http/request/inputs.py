"""Parsing of a request's body, form and query; every error names the invalid field."""

from collections.abc import Collection, Mapping
from typing import Any

from flask import request

from engine.commands.fields import shown, shown_name, whole_number
from webapp.errors import InvalidRequest, UnsupportedMediaType

TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off")
LARGEST_INTEGER = 2**53  # the largest that every JSON reader keeps exactly


def json_object(known: Collection[str] = ()) -> dict[str, Any]:
    """Return the JSON object in the body, ``{}`` if there is none; with ``known``, no other fields are allowed."""
    body = request.get_data(cache=True)
    if not body:
        return {}
    if not request.is_json:
        raise UnsupportedMediaType("the body is not declared as JSON", "send Content-Type: application/json")
    try:
        fields = request.get_json()
    except RecursionError as error:
        raise InvalidRequest("the body is nested too deeply", "send a plain JSON object") from error
    if not isinstance(fields, dict):
        raise InvalidRequest("the body is not a JSON object", 'send something like {"scenario": "pageviews"}')
    if known:
        _require_known(fields, known)
    return fields


def text_field(fields: Mapping[str, Any], name: str, default: str) -> str:
    """Return a text of a JSON object."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} is not a text", "send it in quotes", field=name)
    return value


def integer_field(fields: Mapping[str, Any], name: str, default: int) -> int:
    """Return a whole number of a JSON object, 0 or more."""
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_INTEGER:
        remedy = f"send a whole number from 0 to {LARGEST_INTEGER}"
        raise InvalidRequest(f"{name} is not a whole number in range", remedy, field=name)
    return value


def flag_field(fields: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """Return a true or false of a JSON object."""
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} is neither true nor false", "send true or false", field=name)
    return value


def form_fields() -> dict[str, str]:
    """Return the fields of a form, each at most once."""
    if request.get_data(cache=True) and not request.form and not request.mimetype.endswith("form-urlencoded"):
        raise UnsupportedMediaType(
            "the body is not a form", "send application/x-www-form-urlencoded, or use the JSON API"
        )
    doubled = [name for name, values in request.form.lists() if len(values) > 1]
    if doubled:
        raise InvalidRequest(f"the field {doubled[0][:40]!r} came twice", "send it once", field=doubled[0][:40])
    return request.form.to_dict()


def query_fields(known: Collection[str]) -> dict[str, str]:
    """Return the query's fields; no others than ``known`` are allowed."""
    _require_known(request.args, known)
    return request.args.to_dict()


def query_text(name: str) -> str:
    """Return a required field of the query."""
    if not request.args.get(name):
        raise InvalidRequest(f"the query has no {name}", f"add ?{name}=...", field=name)
    return request.args[name]


def query_integer(name: str, default: int, *, at_most: int = LARGEST_INTEGER) -> int:
    """Return a whole number of the query, from 0 to ``at_most``."""
    text = request.args.get(name, str(default))
    remedy = f"send a whole number from 0 to {at_most}"
    try:
        number = whole_number(text)
    except ValueError:
        raise InvalidRequest(f"{name} cannot be {shown(text)}", remedy, field=name) from None
    if not 0 <= number <= at_most:
        raise InvalidRequest(f"{name} cannot be {number}", remedy, field=name)
    return number


def query_flag(name: str, *, default: bool) -> bool:
    """Return a flag of the query."""
    word = request.args.get(name, "").lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    if word:
        raise InvalidRequest(f"{name} cannot be {word[:40]!r}", "send 1 or 0", field=name)
    return default


def _require_known(fields: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(fields) - set(known))
    if unknown:
        name = shown_name(unknown[0])
        raise InvalidRequest(f"there is no field {name!r} here", f"the fields are: {', '.join(known)}", field=name)
