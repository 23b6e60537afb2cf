"""From YAML to dataclasses: a wrong key is named with the nearest right one, values are typed."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

import yaml


def read_yaml(text: str, where: str) -> Any:
    """What the text says; ValueError in one line, with `where`, if it is not YAML."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{where}: not YAML: {' '.join(str(error).split())}") from None


def put(values: dict[str, Any], dotted: str, value: Any) -> None:
    """Set values["a"]["0"]["b"] for "a.0.b"; a list's items are numbered from 0."""
    node: Any = values
    *parents, last = dotted.split(".")
    try:
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        node[int(last) if isinstance(node, list) else last] = value
    except (ValueError, IndexError, AttributeError, TypeError):
        raise ValueError(f"--set {dotted}: the recipe has no such place") from None


def build(kind: type, values: Any, where: str) -> Any:
    """A dataclass of this kind; ValueError for what does not fit, with `where` in front."""
    if not isinstance(values, dict):
        raise ValueError(f"{where} must hold `key: value` pairs, got {values!r}")
    typed = checked(kind, values, where)
    try:
        return kind(**typed)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None


def checked(kind: type, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values with their types made right; every key must be a field of the dataclass."""
    known = {item.name: item for item in dataclasses.fields(kind)}
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f", did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            raise ValueError(f"{where}: unknown key {key!r}{hint}")
    return {
        key: _typed(value, str(known[key].type), f"{where}: {key}")
        for key, value in values.items()
    }


def _typed(value: Any, annotation: str, where: str) -> Any:
    if annotation == "float":
        return _number(value, where)
    if annotation == "tuple[float, ...]":
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{where} must be a list of numbers, got {value!r}")
        return tuple(_number(item, where) for item in value)
    expected = {"int": int, "str": str, "bool": bool, "Mapping[str, Any]": dict}.get(annotation)
    if expected is not None and type(value) is not expected:  # a bool is no int here
        kind = "a mapping" if annotation.startswith("Mapping") else annotation
        raise ValueError(f"{where} must be {kind}, got {value!r}")
    return value


def _number(value: Any, where: str) -> float:
    try:  # YAML reads 1e-4 as text
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{where} must be a number, got {value!r}") from None


def one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    """ValueError unless value is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def at_least(where: str, values: Any, least: dict[str, float]) -> None:
    """ValueError unless each named attribute of `values` reaches its limit."""
    for name, limit in least.items():
        value = getattr(values, name)
        if not value >= limit:
            raise ValueError(f"{where} {name} must be at least {limit}, got {value}")
