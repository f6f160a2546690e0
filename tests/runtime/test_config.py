"""Settings come from the environment, or the start stops with one sentence."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from libs.runtime.config import Misconfigured, from_environment, or_exit


@dataclass(frozen=True, kw_only=True)
class Config:
    nats_url: str
    port: int = 8080


def test_settings_are_read_by_their_prefix() -> None:
    config = from_environment(Config, {"CARESPACE_NATS_URL": "nats://here", "PORT": "1"})
    assert config == Config(nats_url="nats://here")


def test_a_setting_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("nats://there\n")
    config = from_environment(Config, {"CARESPACE_NATS_URL_FILE": str(tmp_path / "url")})
    assert config.nats_url == "nats://there"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "CARESPACE_NATS_URL is not set."),
        ({"CARESPACE_NATS_URL": "x", "CARESPACE_PORT": "many"}, "CARESPACE_PORT is wrong: "),
        ({"CARESPACE_NATS_URL_FILE": "/nowhere"}, "CARESPACE_NATS_URL_FILE names a file that"),
    ],
)
def test_what_is_missing_or_wrong_is_named(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        from_environment(Config, environ)
    assert str(wrong.value).startswith(sentence)
    assert "many" not in str(wrong.value)


def test_a_service_without_its_settings_ends_with_a_sentence_and_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CARESPACE_NATS_URL", raising=False)
    with pytest.raises(SystemExit, match="2"):
        or_exit(Config)
    assert capsys.readouterr().err == "CARESPACE_NATS_URL is not set.\n"
