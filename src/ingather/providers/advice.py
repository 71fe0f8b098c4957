"""What to do about failures whose reason no server tells: a key that was not sent, a server that was not started."""

from __future__ import annotations

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
_BY_PORT = {11434: "ollama", **{urlsplit(PRESETS[name].url).port: name for name in _START if name in PRESETS}}


class Advice(NamedTuple):
    """Of one provider: its `name` and `base_url`, and the variable (`unsent`) of a key that did not go there.

    `home`: where that key goes.
    """

    name: str
    base_url: str
    unsent: str = ""
    home: str = ""

    def on(self, error: ProviderError, model: str) -> str:
        """A sentence without its period, or nothing.

        >>> Advice("ollama", "http://localhost:11434/v1").on(ConnectFailed("refused"), "llama3")
        'if Ollama is not running, start it: `ollama serve`'
        """
        if isinstance(error, AuthFailed) and self.unsent:
            return (
                f"no key was sent to {urlsplit(self.base_url).netloc}, since {self.unsent} goes only to {self.home}: "
                f'to send it here too, give api_key=os.environ["{self.unsent}"]'
            )
        if isinstance(error, TlsFailed) and "certificate" in str(error):
            return "for a server with a certificate of its own, give ca= the file of who signed it"
        if isinstance(error, ConnectFailed):
            return self._start()
        return self._missing(model) if isinstance(error, ModelNotFound) else ""

    def _start(self) -> str:
        url = urlsplit(self.base_url)
        if not is_near(url.hostname or ""):
            return ""
        program = self._program()
        if not program:
            return "is the server running, and at that port?"
        return f"if {_TITLES[program]} is not running, start it: `{_START[program]}`"

    def _missing(self, model: str) -> str:
        if self._program() == "ollama":
            return f"to have it there: `ollama pull {model}`"
        if not urlsplit(self.base_url).path.strip("/"):
            return "a base_url mostly ends with /v1"
        return f"{self.base_url}/models lists what it has" if is_near(urlsplit(self.base_url).hostname or "") else ""

    def _program(self) -> str:
        """Which program is there: by its preset, else by the port that it has where nobody chose another."""
        if self.name in _START:
            return self.name
        url = urlsplit(self.base_url)
        return _BY_PORT.get(url.port, "") if is_near(url.hostname or "") else ""
