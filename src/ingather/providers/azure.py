"""The dialect of Azure OpenAI: Chat Completions by deployment, with a key header and a content filter of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack
from urllib.parse import quote, urlsplit

from ingather.errors import Filtered, SetupError
from ingather.providers.dialect_provider import DialectProvider, Options
from ingather.providers.openai import ChatCompletions
from ingather.schema.ceiling import CEILINGS, Ceiling

if TYPE_CHECKING:
    from ingather.providers.dialect import Answer

API_VERSION = "2024-10-21"  # the last stable one by date: the surface under /openai/v1 has none
_FORM = re.compile(r"\d{4}-\d\d-\d\d(-preview)?|preview|latest|v\d+", re.ASCII)
_NEWER = "/openai/v1"
_FILTERS = ("prompt_filter_results", "content_filter_results")


@dataclass(frozen=True)
class AzureChatCompletions(ChatCompletions):
    """``POST /openai/deployments/{deployment}/chat/completions``, or ``/chat/completions`` under ``/openai/v1``.

    `api_version`: of the first; the second needs none. The model is the name of the deployment.

    >>> AzureChatCompletions(api_version="2024-10-21").url("https://me.openai.azure.com", "gpt")
    'https://me.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21'
    """

    api_version: str = ""
    name = "azure"
    request_id = "apim-request-id"

    @property
    def schema_lengths(self) -> bool:
        return False  # its strict mode is OpenAI's

    @property
    def schema_words(self) -> bool:
        return False

    @property
    def schema_ceiling(self) -> Ceiling:
        return CEILINGS["azure"]

    def url(self, base_url: str, model: str) -> str:
        path = "" if base_url.endswith(_NEWER) else f"/openai/deployments/{quote(model, safe='')}"
        version = f"?api-version={self.api_version}" if self.api_version else ""
        return f"{base_url}{path}/chat/completions{version}"

    def headers(self, key: str) -> dict[str, str]:
        return {"api-key": key} if key else {}

    def read(self, data: Mapping[str, object]) -> Answer:
        """The answer, with what the content filter found in its metadata, and in the reason where it stopped it."""
        answer = super().read(data)
        choices = data.get("choices")
        choice = choices[0] if isinstance(choices, list) else {}
        found = {name: each[name] for each in (data, choice) for name in _FILTERS if each.get(name)}
        answer.response.metadata.update(found)
        stopped = ", ".join(_stopped(found.get("content_filter_results")))
        return (
            answer._replace(why=f"{answer.why}: {stopped}")
            if answer.error is Filtered and stopped
            else answer
        )


def _stopped(results: object) -> Iterator[str]:
    """What the filter stopped, such as ``"violence (medium)"``."""
    for category, result in results.items() if isinstance(results, Mapping) else ():
        if isinstance(result, Mapping) and result.get("filtered") is True:
            severity = result.get("severity")
            yield f"{category} ({severity})" if isinstance(severity, str) else str(category)


class AzureProvider(DialectProvider):
    """Asks a deployment of an Azure OpenAI resource; see `DialectProvider` for what else it takes.

    `base_url`: that of the resource, with or without ``/openai`` at its end, or with ``/openai/v1``
    for the newer surface. `api_version`: a date as Azure names its versions; else that of
    ``OPENAI_API_VERSION``, else 2024-10-21.

    Raises `SetupError` for a base_url or an api_version of another form.

    >>> AzureProvider("my-gpt", base_url="https://me.openai.azure.com", api_key="abcdefgh")
    AzureProvider('my-gpt' at me.openai.azure.com, key 9c56cc51)
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_version: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        base_url = base_url.rstrip("/").removesuffix("/openai")
        if "/openai/deployments" in urlsplit(base_url).path:
            raise SetupError(
                "base_url ends before /openai/deployments, which is added to it: "
                "write azure/DEPLOYMENT"
            )
        newer = base_url.endswith(_NEWER)
        version = api_version or (
            "" if newer else os.environ.get("OPENAI_API_VERSION") or API_VERSION
        )
        if version and not _FORM.fullmatch(version):
            raise SetupError(
                f'api_version is a date as in "{API_VERSION}", or one with -preview, '
                f"not {version!r:.40}"
            )
        dialect = AzureChatCompletions(at_home=newer, api_version=version)
        super().__init__(dialect, model, base_url=base_url, **options)
