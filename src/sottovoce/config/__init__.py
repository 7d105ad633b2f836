"""Settings: one TOML file, overridden by SOTTOVOCE_* in the environment, checked at start.

The file is the one that `--config` or SOTTOVOCE_CONFIG names; without either there is none and
everything has its default. `http.port` in the file is SOTTOVOCE_HTTP__PORT in the environment;
lists and tables are written there as JSON. Unknown keys are mistakes, in both.
`docs/settings.md` is generated from the descriptions here (`sottovoce config docs`).

* ``sections`` and ``sip``  what can be set, one class per section
* ``kinds``                 the kinds of value that they share
* ``loading``               all of it together, from file and environment
"""

from __future__ import annotations

from sottovoce.config.kinds import AuthMode, LogLevel, PhonePickup, Section
from sottovoce.config.loading import ConfigError, Settings, load, variable
from sottovoce.config.sections import (
    Advertised,
    AgentSettings,
    AuditSettings,
    BrowserSettings,
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
from sottovoce.config.sip import FarSideSettings, SipSettings, TrunkSettings
