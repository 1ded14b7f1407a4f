"""`relay login`, with a browser that is played, against the stand-in over HTTP."""

from __future__ import annotations

import os
import pty
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from relay.sandbox.http import Running
from relay.sandbox.marketing.settings import TRIAL_APP
from relay.sandbox.settings import AccessPlan, SandboxSettings
from tests.commands.conftest import home

RELAY = Callable[..., Any]
SECRET = "sandbox-secret"
PASTED_TO = "https://shop.example/oauth/tiktok"


@dataclass
class Login:
    """A `relay login` that runs; what it said, once it has ended."""

    process: subprocess.Popen[str]
    port: int
    url: str = ""
    said: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    def until(self, words: str) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if line.strip().startswith("http") and "/portal/auth" in line:
                self.url = line.strip()
            if words in line:
                return
        pytest.fail(f"{words!r} was not said: {''.join(self.said)}")

    def consent(self) -> str:
        """What the page sends the browser back to, when the app is allowed."""
        _status, headers, _page = get(f"{self.url}&decision=allow")
        self.codes += parse_qs(urlsplit(headers["Location"]).query)["auth_code"]
        return headers["Location"]

    def end(self, stdin: str | None = None) -> tuple[int, str, str]:
        out, err = self.process.communicate(stdin, timeout=20)
        return self.process.returncode, out, "".join(self.said) + err


Start = Callable[..., Login]


def get(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """One request; no redirect is followed."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), page


@pytest.fixture
def tiktok(
    served: Callable[..., Running], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Running:
    """A stand-in that knows no token but those that it gives."""
    home(folder, monkeypatch)
    app = TRIAL_APP.model_copy(update={"redirect_uris": (PASTED_TO,)})
    settings = {"access": AccessPlan(others="revoked"), "marketing": {"apps": (app,)}}
    sandbox = served(SandboxSettings.model_validate(settings))
    monkeypatch.setenv("RELAY_TIKTOK__BASE_URL", sandbox.base_url)
    monkeypatch.setenv("TIKTOK_APP_ID", TRIAL_APP.app_id)
    monkeypatch.setenv("TIKTOK_APP_SECRET", SECRET)
    return sandbox


@pytest.fixture
def start(tiktok: Running) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> Login:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "relay", "login", *([] if "--redirect-uri" in arguments else
             ["--port", str(port)]), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        return Login(process, port)

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def listening(start: Start, *arguments: str) -> Login:
    login = start("--no-browser", *arguments)
    login.until("waiting at")
    return login


@pytest.fixture
def token_file(folder: Path) -> Path:
    return folder / "home/.config/relay/tiktok-token"


def everything_in(folder: Path, *, but: Path) -> str:
    return "\n".join(
        path.read_bytes().decode(errors="replace")
        for path in folder.rglob("*")
        if path.is_file() and path != but
    )


# --- the whole way --------------------------------------------------------------------------------


def test_from_consent_to_a_report_and_back(
    start: Start, relay: RELAY, folder: Path, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = listening(start)

    status, headers, page = get(login.consent())
    code, out, err = login.end()

    assert (code, status) == (0, 200)
    assert "7106541027904733185  Nordlicht DE" in err
    assert f"http://127.0.0.1:{login.port}/callback" in err
    token = token_file.read_text().strip()
    kept = {path.name: stat.S_IMODE(path.stat().st_mode) for path in
            (token_file.parent, *token_file.parent.iterdir())}  # fmt: skip
    assert kept == {"relay": 0o700, "tiktok-token": 0o600, "tiktok-token.json": 0o600}
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")

    monkeypatch.delenv("TIKTOK_APP_SECRET")  # what reads needs no secret
    said = [
        relay("login", "--status"),
        relay("accounts", "--json"),
        relay("campaigns", "--csv"),
        relay("report", "--since", "3d", "--level", "account", "--csv"),
    ]
    assert [each.code for each in said] == [0, 0, 0, 0], said
    assert "accepted  yes" in said[0].out
    assert [row["name"] for row in said[1].lines] == ["Nordlicht DE"]
    assert said[2].out.count("\r\n") == 3
    assert said[3].out.count("\r\n") == 4

    monkeypatch.setenv("TIKTOK_APP_SECRET", SECRET)
    revoked = relay("login", "--revoke", "--yes")
    assert (revoked.code, "has lost 1 ad account" in revoked.err) == (0, True)
    assert not list(token_file.parent.iterdir())
    nobody = relay("accounts")
    assert (nobody.code, "Run `relay login`" in nobody.err) == (2, True)
    monkeypatch.setenv("TIKTOK_ACCESS_TOKEN", token)
    refused = relay("accounts", "7106541027904733185")
    assert refused.code == 1
    assert all(words in refused.err for words in ("40105", "run `relay login`"))

    told = "\n".join([out, err, page, *(each.out + each.err for each in
                      [*said, revoked, nobody, refused])])  # fmt: skip
    told += everything_in(folder, but=token_file)
    for hidden in (token, SECRET, *login.codes):
        assert hidden not in told


def test_the_token_file_is_read_by_a_configuration(
    start: Start, relay: RELAY, folder: Path, token_file: Path
) -> None:
    login = listening(start, "--token-file", str(folder / "kept/here"))
    get(login.consent())
    assert login.end()[0] == 0
    (folder / "relay.toml").write_text(
        f'[management]\naccess_token = "file:{folder / "kept/here"}"\n'
        'advertisers = ["7106541027904733185"]\n'
    )

    assert relay("accounts", "--csv").out.count("Nordlicht DE") == 2  # its company is called so too
    assert not token_file.exists()


def test_a_browser_is_opened_and_not_waited_for(
    start: Start, folder: Path, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets its page after the token is kept, so waiting for its end would wait for ever."""
    program = folder / "browser.py"
    program.write_text(
        "import sys, urllib.request\n"
        "urllib.request.urlopen(sys.argv[1] + '&decision=allow').read()\n"
    )
    monkeypatch.setenv("BROWSER", f"{sys.executable} {program} %s")

    code, _out, err = start().end()

    assert code == 0, err
    assert token_file.exists()
    assert "a browser opens" in err


def test_a_token_that_is_there_is_replaced_and_made_private(start: Start, token_file: Path) -> None:
    token_file.parent.mkdir(parents=True)
    token_file.write_text("an-older-one")
    token_file.chmod(0o644)

    login = listening(start)
    get(login.consent())

    assert login.end()[0] == 0
    assert "an-older-one" not in token_file.read_text()
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


def test_print_shows_the_secret_to_set_and_writes_nothing(
    start: Start, relay: RELAY, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = listening(start, "--print")
    get(login.consent())
    code, out, err = login.end()

    assert code == 0
    name, _, token = out.strip().partition("=")
    assert token not in err
    assert not token_file.exists()
    monkeypatch.setenv(name, token)
    assert relay("accounts").code == 0


def test_a_token_that_cannot_be_kept_says_so(start: Start, folder: Path) -> None:
    (folder / "file").write_text("")

    login = listening(start, "--token-file", str(folder / "file/token"))
    _status, _headers, page = get(login.consent())
    code, out, err = login.end()

    assert code == 1
    assert "cannot be kept" in err
    assert "Not logged in" in page
    assert "Traceback" not in out + err


# --- what comes back ------------------------------------------------------------------------------


def test_an_address_of_another_login_changes_nothing(start: Start, token_file: Path) -> None:
    login = listening(start)
    back = login.consent()
    state = parse_qs(urlsplit(back).query)["state"][0]
    others = [back.replace(state, "x" * len(state)), back.replace(f"&state={state}", "")]

    assert [get(other)[0] for other in others] == [400, 400]
    assert get(back)[0] == 200
    code, _out, err = login.end()

    assert code == 0
    assert err.count("not of this login") == 2
    assert token_file.exists()


def test_refused_consent_ends_the_login(start: Start, token_file: Path) -> None:
    login = listening(start)
    state = parse_qs(urlsplit(login.url).query)["state"][0]
    address = f"http://127.0.0.1:{login.port}/callback"

    status, _headers, page = get(f"{address}?{urlencode({'state': state, 'error': 'denied'})}")
    code, _out, err = login.end()

    assert (status, "Nothing was granted" in page) == (200, True)
    assert code == 1
    assert "Consent was not given" in err
    assert not token_file.exists()


def test_only_the_registered_address_is_answered(start: Start) -> None:
    login = listening(start)
    address = f"http://127.0.0.1:{login.port}"

    assert get(f"{address}/favicon.ico")[0] == 404
    assert get(f"{address}/callback", Host="evil.example")[0] == 404
    assert get(f"{address}/callback", Host=f"evil.example:{login.port}")[0] == 404


def test_a_code_can_be_used_once(start: Start, token_file: Path) -> None:
    login = start("--paste", "--redirect-uri", PASTED_TO)
    login.until("copy the whole address")
    back = login.consent()
    assert login.end(f"{back}\n")[0] == 0
    kept = token_file.read_text()

    again = start("--paste", "--redirect-uri", PASTED_TO)
    code, _out, err = again.end(f"{login.codes[0]}\n")

    assert code == 1
    assert "used before" in err
    assert "Run `relay login` again" in err
    assert login.codes[0] not in err
    assert token_file.read_text() == kept


def test_a_wrong_secret_is_told_from_a_wrong_code(
    start: Start, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_APP_SECRET", "not-the-secret")
    login = listening(start)

    _status, _headers, page = get(login.consent())
    code, _out, err = login.end()

    assert code == 1
    assert "TIKTOK_APP_SECRET" in err
    assert "not-the-secret" not in err
    assert "Not logged in" in page
    assert not token_file.exists()


def test_a_pasted_address_has_to_be_of_this_login(start: Start, token_file: Path) -> None:
    login = start("--paste", "--redirect-uri", PASTED_TO)
    login.until("copy the whole address")
    back = login.consent()
    state = parse_qs(urlsplit(back).query)["state"][0]

    code, _out, err = login.end(back.replace(state, "y" * len(state)) + "\n")

    assert code == 1
    assert "belongs to another one" in err
    assert login.codes[0] not in err
    assert not token_file.exists()


def test_an_https_address_is_pasted_without_being_asked_for(start: Start) -> None:
    login = start("--redirect-uri", PASTED_TO)
    login.until("copy the whole address")

    assert login.end(f"{login.consent()}\n")[0] == 0


# --- what fails before ----------------------------------------------------------------------------


def test_a_taken_port_is_told_with_its_mend(relay: RELAY, tiktok: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        said = relay("login", "--no-browser", "--port", str(port))

    assert said.code == 2
    assert f"127.0.0.1:{port} (address already in use)" in said.err
    assert "another --port" in said.err


def test_nobody_comes_back(relay: RELAY, tiktok: Running, token_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    said = relay("login", "--no-browser", "--wait", "1", "--port", str(port))

    assert said.code == 1
    assert f"register http://127.0.0.1:{port}/callback" in said.err
    assert "--paste" in said.err
    assert not token_file.exists()


def test_without_a_network(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAY_TIKTOK__BASE_URL", "http://127.0.0.1:9/open_api/v1.3")

    code, _out, err = start("--paste").end("1234abcd\n")

    assert code == 1
    assert "no connection can be made" in err
    assert "1234abcd" not in err
    assert "Traceback" not in err


def test_ctrl_c_ends_it_at_once_and_keeps_nothing(start: Start, token_file: Path) -> None:
    login = listening(start)
    login.process.send_signal(signal.SIGINT)

    code, out, err = login.end()

    assert code == 130
    assert "no token was kept" in err
    assert "Traceback" not in out + err
    assert not token_file.exists()


@pytest.mark.parametrize(
    ("variable", "words"), [("TIKTOK_APP_ID", "--app-id"), ("TIKTOK_APP_SECRET", "app_secret")]
)
def test_what_is_missing_is_named_where_nobody_can_be_asked(
    relay: RELAY, tiktok: Running, monkeypatch: pytest.MonkeyPatch, variable: str, words: str
) -> None:
    monkeypatch.delenv(variable)

    said = relay("login", "--no-browser")

    assert said.code == 2
    assert variable in said.err
    assert words in said.err


def test_there_is_no_option_for_the_secret(relay: RELAY) -> None:
    assert "--secret" not in relay("login", "--help").out
    assert relay("login", "--app-secret", "x").code == 2


@pytest.mark.parametrize(
    "uri", ["http://shop.example/cb", "https://a.example/cb?x=1", "nowhere", "ftp://127.0.0.1/"]
)
def test_an_address_that_cannot_be_registered(relay: RELAY, tiktok: Running, uri: str) -> None:
    said = relay("login", "--redirect-uri", uri)

    assert said.code == 2
    assert "--redirect-uri" in said.err


# --- on a terminal --------------------------------------------------------------------------------


def on_a_terminal(answers: list[tuple[str, str]], *arguments: str) -> tuple[int, str]:
    """Run `relay …` where a person answers each question; all that the screen showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "relay", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    os.close(theirs)
    screen = ""
    guard = threading.Timer(30, process.kill)
    guard.start()
    try:
        for question, answer in answers:
            while question not in screen:
                screen += os.read(ours, 4096).decode(errors="replace")
            os.write(ours, f"{answer}\n".encode())
            screen = screen.replace(question, "…", 1)
        while True:
            screen += os.read(ours, 4096).decode(errors="replace")
    except OSError:  # the terminal's other end is closed
        return process.wait(), screen
    finally:
        guard.cancel()
        os.close(ours)


@pytest.mark.needs("linux")
def test_a_person_is_asked_and_what_is_typed_is_not_shown(
    tiktok: Running, monkeypatch: pytest.MonkeyPatch, token_file: Path
) -> None:
    monkeypatch.delenv("TIKTOK_APP_ID")
    monkeypatch.delenv("TIKTOK_APP_SECRET")

    code, screen = on_a_terminal(
        [
            ("app id: ", TRIAL_APP.app_id),
            ("app secret: ", SECRET),
            ("address (it is not shown): ", "two words"),
            ("address (it is not shown): ", "http://x.example/?auth_code=c0de&state=s"),
            ("address (it is not shown): ", "c0de-that-is-none"),
        ],
        "login",
        "--paste",
    )

    assert code == 1
    assert "neither an address nor a code" in screen
    assert "belongs to another one" in screen
    assert "used before" in screen
    assert SECRET not in screen
    assert "c0de" not in screen
    assert not token_file.exists()


# --- what a token is, and taking it back ----------------------------------------------------------


@pytest.fixture
def logged_in(start: Start, token_file: Path) -> str:
    login = listening(start)
    get(login.consent())
    assert login.end()[0] == 0
    return token_file.read_text().strip()


def test_status_says_whose_the_token_is_and_never_the_token(
    relay: RELAY, logged_in: str, token_file: Path
) -> None:
    said, asked = relay("login", "--status"), relay("login", "--status", "--json")

    assert said.code == asked.code == 0
    assert asked.json["user"] == "Sandbox"
    assert asked.json["accepted"] is True
    assert asked.json["accounts"] == [
        {"advertiser_id": "7106541027904733185", "name": "Nordlicht DE"}
    ]
    assert str(token_file) in said.out
    assert logged_in not in said.out + said.err + asked.out + asked.err


def test_status_of_a_token_that_is_not_accepted(
    relay: RELAY, tiktok: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_ACCESS_TOKEN", "0123456789abcdef0123456789abcdef")

    said = relay("login", "--status")

    assert said.code == 1
    assert "run `relay login`" in said.out
    assert "0123456789abcdef" not in said.out + said.err


def test_revoking_is_asked_for(relay: RELAY, logged_in: str, token_file: Path) -> None:
    said = relay("login", "--revoke")

    assert said.code == 2
    assert "--yes" in said.err
    assert token_file.read_text().strip() == logged_in
    assert relay("login", "--status").code == 0


@pytest.mark.needs("linux")
def test_a_person_may_think_better_of_it(relay: RELAY, logged_in: str, token_file: Path) -> None:
    code, screen = on_a_terminal([("[y/N]: ", "n")], "login", "--revoke")

    assert code == 1
    assert "nothing was revoked" in screen
    assert token_file.exists()


def test_a_wrong_secret_revokes_nothing(
    relay: RELAY, logged_in: str, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_APP_SECRET", "not-the-secret")

    said = relay("login", "--revoke", "--yes")

    assert said.code == 1
    assert "the token is as it was" in said.err
    assert token_file.exists()
    assert relay("accounts", "7106541027904733185").code == 0


def test_a_token_that_was_worthless_before_is_deleted(
    relay: RELAY, tiktok: Running, token_file: Path
) -> None:
    token_file.parent.mkdir(parents=True)
    token_file.write_text("0123456789abcdef0123456789abcdef\n")

    said = relay("login", "--revoke", "--yes")

    assert said.code == 0
    assert "did not accept the token any more" in said.err
    assert not token_file.exists()


def test_a_token_of_the_environment_is_revoked_and_its_place_named(
    relay: RELAY, logged_in: str, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_ACCESS_TOKEN", logged_in)

    said = relay("login", "--revoke", "--yes")

    assert said.code == 0
    assert "remove what TIKTOK_ACCESS_TOKEN names" in said.err
