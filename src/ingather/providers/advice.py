"""What to do about failures whose reason no server tells: a key that was not sent, a server that was not started."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ingather.errors import AuthFailed, ConnectFailed, ModelNotFound, TlsFailed
from ingather.providers.presets import PRESETS
from ingather.transport.hosts import is_near

if TYPE_CHECKING:
    from ingather.errors import ProviderError

_START = {
    "ollama": "ollama serve",
    **{name: preset.start for name, preset in PRESETS.items() if preset.start},
}
_TITLES = {"ollama": "Ollama", **{name: preset.title for name, preset in PRESETS.items()}}
_BY_PORT = {
    11434: "ollama",
    **{urlsplit(PRESETS[name].url).port: name for name in _START if name in PRESETS},
}


# whose base_url mostly ends with /v1, and has /models below it
_CHAT = ("openai", "ollama", *PRESETS)


_UNKNOWN_SIGNER = re.compile(r"self[- ]signed|unable to (?:get|verify)")  # in OpenSSL's words


class Advice(NamedTuple):
    """Of one provider: its `name` and `base_url`, and whether a key `is_sent` there.

    `unsent`: the variable of a key that is set and not sent there; `home`: where that one goes.
    """

    name: str
    base_url: str
    is_sent: bool = True
    unsent: str = ""
    home: str = ""

    def on(self, error: ProviderError, model: str) -> str:
        """A sentence without its period, or nothing.

        >>> Advice("ollama", "http://localhost:11434/v1").on(ModelNotFound("404"), "llama3")
        'to have it there: `ollama pull llama3`'
        """
        if isinstance(error, AuthFailed) and not self.is_sent:
            return self._key()
        if isinstance(error, TlsFailed) and _UNKNOWN_SIGNER.search(str(error)):
            return "for a server with a certificate of its own, give ca= the file of who signed it"
        if isinstance(error, ConnectFailed) and self._is_refused(str(error)):
            return self._start(model)
        return self._missing(model) if isinstance(error, ModelNotFound) else ""

    def _key(self) -> str:
        host = urlsplit(self.base_url).netloc
        if not self.unsent:
            return f"no key was sent to {host}: give api_key="
        return (
            f"no key was sent to {host}, since {self.unsent} goes only to {self.home}: to send it "
            f"here too, give "
            f'api_key=os.environ["{self.unsent}"]'
        )

    def _is_refused(self, said: str) -> bool:
        """Whether it is the server that was not there: neither a name, nor a proxy, nor this machine's own limits."""
        return (
            said.startswith(f"no connection to {urlsplit(self.base_url).netloc}: ")
            and "resolved" not in said
        )

    def _start(self, model: str) -> str:
        if not is_near(urlsplit(self.base_url).hostname or ""):
            return ""
        program = self._program()
        if not program:
            return "is the server running, and at that port?"
        command = _START[program].replace("MODEL", shlex.quote(model))
        return f"if {_TITLES[program]} is not running, start it: `{command}`"

    def _missing(self, model: str) -> str:
        url = urlsplit(self.base_url)
        if self._program() == "ollama":
            return f"to have it there: `ollama pull {shlex.quote(model)}`"
        if self.name not in _CHAT:
            return ""
        if not url.path.strip("/"):
            is_right = self.name in PRESETS and PRESETS[self.name].url == self.base_url
            return "" if is_right else "a base_url mostly ends with /v1"
        return f"{self.base_url}/models lists what it has" if is_near(url.hostname or "") else ""

    def _program(self) -> str:
        """Which program is there: by its preset, else by the port that it has where nobody chose another."""
        if self.name in _START:
            return self.name
        url = urlsplit(self.base_url)
        return _BY_PORT.get(url.port, "") if is_near(url.hostname or "") else ""
