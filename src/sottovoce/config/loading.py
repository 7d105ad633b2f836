"""All settings together, and how they are read: the file, and the environment over it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from sottovoce.config.kinds import Folder, Section
from sottovoce.config.sections import (
    AgentSettings,
    AuditSettings,
    DatabaseSettings,
    HttpSettings,
    LogSettings,
    MediaSettings,
    NetworkSettings,
    OperatorSettings,
    PushSettings,
    QualitySettings,
    RecordingSettings,
)
from sottovoce.config.sip import SipSettings
from sottovoce.wording import told

PREFIX = "SOTTOVOCE_"


class ConfigError(Exception):
    """The settings cannot be used. `mistakes` has one sentence for each thing to mend."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class Settings(Section):
    """All that can be set. Made by `load`, or in code from defaults: `Settings(data=folder)`."""

    data: Folder = Field(
        default=Path("~/.local/share/sottovoce"),
        description="The data folder: the own PostgreSQL, the spool and, unless set otherwise, recordings.",
    )
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    agents: AgentSettings = AgentSettings()
    push: PushSettings = PushSettings()
    network: NetworkSettings = NetworkSettings()
    media: MediaSettings = MediaSettings()
    sip: SipSettings = SipSettings()
    recordings: RecordingSettings = RecordingSettings()
    quality: QualitySettings = QualitySettings()
    audit: AuditSettings = AuditSettings()
    operators: OperatorSettings = OperatorSettings()
    log: LogSettings = LogSettings()

    @property
    def recordings_folder(self) -> Path:
        """Where recordings go."""
        return self.recordings.folder or self.data / "recordings"


class _Sourced(BaseSettings, Settings):
    """The settings with the environment laid over what the file says (the keyword arguments)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load(file: Path | None = None) -> Settings:
    """The settings in force: `file` (or SOTTOVOCE_CONFIG's), and the environment over it.

    Raises ConfigError with every mistake at once.
    """
    named = os.environ.get(f"{PREFIX}CONFIG")
    if file is None and named:
        file = Path(named)
    mistakes = _unknown_variables(os.environ)
    content: dict[str, Any] = {}
    if file is not None:
        try:
            content = tomllib.loads(file.expanduser().read_text(encoding="utf-8"))
        except OSError as failure:
            mistakes.append(f"{file}: cannot be read: {failure.strerror}")
        except UnicodeDecodeError:
            mistakes.append(f"{file}: is not UTF-8")
        except tomllib.TOMLDecodeError as failure:
            mistakes.append(f"{file}: is not TOML: {failure}")
    try:
        settings = _Sourced(**content)
    except ValidationError as failure:
        mistakes += [_sentence(error, file, content) for error in failure.errors(include_url=False)]
    except SettingsError as failure:
        mistakes.append(f"environment: {failure}: lists and tables are written as JSON")
    if mistakes:
        raise ConfigError(mistakes)
    return settings


def variable(*key: str) -> str:
    """The environment's name of a setting: `variable("http", "port")` is SOTTOVOCE_HTTP__PORT."""
    return PREFIX + "__".join(key).upper()


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {f"{PREFIX}CONFIG"} | {variable(name) for name in Settings.model_fields}
    return [
        f"{name} in the environment: there is no such setting"
        for name in sorted(environment)
        if name.startswith(PREFIX) and name.partition("__")[0] not in known
    ]


def _sentence(error: ErrorDetails, file: Path | None, content: Mapping[str, Any]) -> str:
    """One of pydantic's errors as a sentence that says where to mend it. Never shows the value given."""
    key = [str(part) for part in error["loc"]]
    message = told(error, unknown="there is no such setting")
    for depth in (1, 2, 3):
        named = variable(*key[:depth])
        if named in os.environ:
            rest = ".".join(key[depth:])
            return f"{named} in the environment: {rest + ': ' if rest else ''}{message}"
    if file is not None and key and key[0] in content:
        return f"{'.'.join(key)} in {file}: {message}"
    return f"{'.'.join(key) or 'settings'}: {message}"
