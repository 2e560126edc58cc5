"""Posts, lists, drafts, settings and themes of somebody who means harm, through the real command."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from support.letter import HERE, Letter, copy_sample, spent
from support.messages import HEADERS

INJECTION = "=?utf-8?q?x=0D=0ABcc:_evil=40example.com?="
#: Nothing of this may stand in a page or mail as markup. What is shown as text has its `<` escaped.
ACTIVE = re.compile(
    r"<\s*/?\s*(script|iframe|form|input|object|embed|svg|base|meta http-equiv=.?refresh|link rel=.?import)\b"
    r"|\bon(error|load|click|focus)\s*=\s*[\"']?[^\"'>]*alert(?=[^<]*>)"
    r"|(href|src|action|xlink:href)\s*=\s*[\"']?\s*(javascript|vbscript|data|file):"
    r"|style\s*=[^<>]*evil",
    re.IGNORECASE,
)
MARKUP = """
<script>alert("evil")</script><SCRIPT SRC=//evil.example/x.js></SCRIPT>
<iframe src="https://evil.example/"></iframe><object data="evil.swf"></object><embed src="evil.swf">

<p style="position: fixed; background: url(https://evil.example/seen.gif)">over all</p>

<form action="https://evil.example/"><input name="evil" autofocus onfocus="alert(1)"></form>

<svg onload="alert(1)"><a xlink:href="javascript:alert(1)">evil</a></svg>

<img src=x onerror="alert(1)" alt="a picture that is none"> <b onclick="alert(1)">bold</b>

[one](javascript:alert(1)) [two](JaVaScRiPt:alert(1)) [three](java&#10;script:alert(1)) [four](&#106;avascript:alert(1))
<a href="java	script:alert(1)">five</a> <a href=" javascript:alert(1)">six</a> <a href="vbscript:alert(1)">seven</a>
<a href="data:text/html,<script>alert(1)</script>">eight</a> [nine](file:///etc/passwd)

{{ 7 * 191 }} {% for i in range(10**9) %}x{% endfor %} {{ ''.__class__.__mro__ }} ${7*191} <%= 7*191 %>

![the words of a secret file](../../../../../etc/passwd) ![another](../secret.png)
"""


def mails(letter: Letter, issue: int = 1) -> list[EmailMessage]:
    """Read every copy with Python's parser; each has exactly the contract's headers."""
    found = []
    for data in letter.files(f"outbox/{issue:04d}").values():
        message = email.message_from_bytes(data, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        assert message.keys() == HEADERS
        assert not message.defects
        assert all(not message[name].defects for name in HEADERS), message.items()
        assert len(message["To"].addresses) == len(message["From"].addresses) == 1
        assert b"\nBcc" not in data.split(b"\r\n\r\n")[0]
        found.append(message)
    return found


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


@pytest.fixture
def hostile(letter: Callable[..., Letter]) -> Letter:
    return letter(
        "email,name\n"
        f'a@example.com,"{INJECTION}"\n'
        'b@example.com,"B\r\nBcc: evil@example.com"\n'
        'c@example.com,"=HYPERLINK(""https://evil.example"")"\n'
        'd@example.com,"<script>alert(1)</script> {{ 7 * 191 }}"\n'
        'e@example.com,"x, evil@example.com"\n'
    )


def test_what_can_be_made_harmless_is_and_no_header_is_reached(hostile: Letter, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"a secret")
    hostile.write(
        "posts/2025-12-20-markup.md",
        f"---\ntitle: '{INJECTION} {{{{ 7 * 191 }}}} <script>alert(1)</script>'\ndate: 2025-12-20\n"
        "excerpt: '<img src=x onerror=alert(1)> {{ 7 * 191 }}'\ncategory: '../../<script>alert(1)</script>'\n"
        "author: 'A\u202eevil'\n__class__: evil\n__globals__: {os: system}\nself: 1\nsettings: 2\n---\n"
        + MARKUP,
    )
    hostile.post("2025-12-19-slug", "Slug", "2025-12-19", slug="../../../escaped", image="../../secret.png")
    hostile.post("2025-12-18-link", "Permalink", "2025-12-18", permalink="/../../../etc/cron.d/evil/")
    hostile.post("2025-12-17-rlo", '"Turned \u202e dnuora \u2066 words"', "2025-12-17")
    before = spent()
    assert hostile.run("draft").code == 0
    hostile.replace("issues/0001.md", "\n---\n", "\n---\n\n" + MARKUP)
    hostile.replace("issues/0001.md", 'subject: "', f'subject: "{INJECTION} {{{{ 7 * 191 }}}} \u202e ')
    ran = hostile.run("send", "--yes")
    if ran.code == 3:
        # What is left of these links and pictures is an error that names its line; the editor takes them out.
        assert re.search(
            r"^(posts/2025-12-20-markup|issues/0001)\.md:\d+ error (link|image)", ran.err, re.MULTILINE
        )
        assert not (hostile.root / "outbox").exists()
        hostile.write(
            "newsletter.toml",
            (hostile.root / "newsletter.toml").read_text("utf-8")
            + '\n[checks]\nlink-active = "off"\nlink-relative = "off"\nimage-missing = "off"\nimage-alt = "off"\n'
            + 'template-left = "off"\nclipping = "off"\n',
        )
        ran = hostile.run("send", "--yes")
    assert ran.code == 0, ran
    assert spent() - before < 20
    copies = mails(hostile)
    assert len(copies) == 4  # a name of two lines is no name: that row was refused
    for message in copies:
        assert "1337" not in str(message["Subject"])
        assert "\u202e" not in str(message["Subject"])
        assert message["To"].addresses[0].addr_spec in {f"{name}@example.com" for name in "acde"}
        html = body(message, "html")
        assert not ACTIVE.search(html), ACTIVE.search(html)
        assert "1337" not in html
        assert "1337" not in body(message, "plain")
    site = hostile.files("public")
    for name, data in site.items():
        if name.endswith((".html", ".xml", ".json")):
            text = data.decode()
            assert "1337" not in text, name
            if name.endswith(".html"):
                assert not ACTIVE.search(text), (name, ACTIVE.search(text))
        assert data != b"a secret", name
        assert b"root:x:0" not in data, name
    outside = {path.name for path in tmp_path.iterdir()}
    assert outside == {"letter", "secret.png"}


def test_what_cannot_is_refused_with_its_place_in_two_seconds(
    letter: Callable[..., Letter], tmp_path: Path
) -> None:
    made = letter()
    (tmp_path / "secret.md").write_text("---\ntitle: Out of the folder\ndate: 2025-12-01\n---\nSECRET\n")
    (made.root / "posts/linked.md").symlink_to(tmp_path / "secret.md")
    (made.root / "posts/dangling.md").symlink_to("/etc/nothing-of-this-name")
    head = "---\ntitle: T\ndate: 2025-12-20\n"
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
    )
    cases = {
        "aliases": f"{head}{bomb}---\nx\n",
        "long-head": f"{head}x: {'y' * 200_000}\n---\nx\n",
        "deep-head": f"{head}x: {'[' * 5_000}\n---\nx\n",
        "tag": f"{head}x: !!python/object/apply:os.system ['touch evil']\n---\nx\n",
        "nul": f"{head}---\n\nx\0y\n",
    }
    for name, text in cases.items():
        made.write(f"posts/{name}.md", text)
    before = spent()
    status = made.run("status", "--json")
    assert spent() - before < 4  # a process of its own, too
    left = {item["path"]: item for item in status.json["left_out"]}
    assert status.json["posts"] == []
    for name in cases:
        item = left[f"posts/{name}.md"]
        assert item["reason"] == "unreadable", item
        assert item["line"] >= 1
    sent = made.run("send", "--yes")
    assert sent.code == 1
    for name in cases:
        assert re.search(rf"posts/{name}\.md:\d+: ", sent.err), sent.err
    assert left["posts/linked.md"]["reason"] == "unreadable"
    assert "SECRET" not in sent.out + sent.err
    assert not (made.root / "evil").exists()
    assert not (made.root / "outbox").exists()


def test_a_line_of_a_megabyte_is_refused_and_a_long_one_breaks_no_message(
    letter: Callable[..., Letter],
) -> None:
    made = letter()
    made.post("2025-12-20-line", "One line", "2025-12-20", "word " * 200_000)
    before = spent()
    refused = made.run("send", "--yes")
    assert (refused.code, refused.err.startswith("newsletter: posts/2025-12-20-line.md: ")) == (1, True), (
        refused
    )
    made.post("2025-12-20-line", "One line", "2025-12-20", "word " * 11_000)
    made.post("2025-12-19-unbroken", "One word", "2025-12-19", "x" * 55_000)
    ran = made.run("send", "--yes")
    assert spent() - before < 12
    assert ran.code == 0, ran
    for data in made.files("outbox/0001").values():
        assert max(map(len, data.split(b"\r\n"))) <= 998
    assert len(mails(made)) == 1


#: What may be nested without end, and whether a post of it can go out.
PITS = {
    "quotes": (">" * 10_000 + " quote", False),
    "lists": ("- " * 10_000 + "list", False),
    "brackets": ("[" * 10_000 + "x" + "](" * 10_000, False),
    "emphasis": ("*_" * 10_000 + "x", True),
    "elements": ("<div>" * 10_000, False),
}


@pytest.mark.parametrize("pit", PITS)
def test_a_pit_of_ten_thousand_is_quick_and_harmless_or_refused_with_its_place(
    letter: Callable[..., Letter], pit: str
) -> None:
    made = letter()
    text, sound = PITS[pit]
    made.post("2025-12-20-pit", "Pit", "2025-12-20", text)
    before = spent()
    ran = made.run("send", "--yes")
    assert spent() - before < 6  # a process of its own, too
    if sound:
        assert ran.code == 0, ran
        assert len(mails(made)) == 1
    else:
        assert ran.code == 1
        assert re.match(r"newsletter: posts/2025-12-20-pit\.md:\d+: ", ran.err), ran.err


def test_hostile_settings_are_refused_all_at_once(letter: Callable[..., Letter]) -> None:
    made = letter()
    made.write(
        "newsletter.toml",
        '[newsletter]\nname = "a\\r\\nBcc: x@y.example"\nfrom = "A\\nBcc: x <a@b.example>"\n'
        'reply_to = "x@y.example, q@z.example"\nlanguage = "en\\r\\nX: 1"\npostal_address = "a\\nb"\n'
        '[web]\nurl = "javascript:alert(1)"\n[mail.smtp]\npassword = "hunter2"\n',
    )
    ran = made.run("send", "--yes")
    assert ran.code == 7
    for line, key in enumerate(("name", "from", "reply_to", "language", "postal_address"), 2):
        assert f"newsletter.toml:{line}: newsletter.{key}: " in ran.err
    assert "newsletter.toml:8: web.url: " in ran.err
    assert "newsletter.toml:10: mail.smtp.password: " in ran.err
    assert "a secret does not belong in this file" in ran.err
    assert "hunter2" not in ran.err
    made.write(
        "newsletter.toml", f'[newsletter]\nname = "{INJECTION}"\nfrom = "{INJECTION} <a@example.org>"\n'
    )
    ran = made.run("check")
    assert (ran.code, "newsletter.toml:3: newsletter.from: " in ran.err) == (7, True), ran


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        (
            "mail/mail.html",
            "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
            "turns",
        ),
        ("mail/mail.html", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "__class__"),
        ("mail/mail.html", "{% include '/etc/passwd' %}", "/etc/passwd"),
        ("mail/mail.html", "{% include '../newsletter.toml' %}", "newsletter.toml"),
    ],
)
def test_a_hostile_theme_is_refused_by_file_and_line(
    letter: Callable[..., Letter], path: str, text: str, says: str
) -> None:
    made = letter()
    made.post("2025-12-20-one", "One", "2025-12-20")
    made.write(f"templates/{path}", text)
    before = spent()
    ran = made.run("send", "--yes")
    assert spent() - before < 10
    assert ran.code == 1
    assert re.search(rf"templates/{path}:\d+: .*{re.escape(says)}", ran.err), ran.err
    assert not (made.root / "outbox").exists()


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and what was asked of it."""
    paths: list[str] = []

    class Note(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/css")
            self.end_headers()
            self.wfile.write(b"p { color: #badbad }")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Note)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_theme_that_points_elsewhere_makes_nobody_fetch_or_open_anything(
    letter: Callable[..., Letter], tmp_path: Path, asked: tuple[str, list[str]]
) -> None:
    there, paths = asked
    made = letter()
    made.post("2025-12-20-one", "One", "2025-12-20", "One paragraph.\n\nAnd another.")
    (tmp_path / "outside.css").write_text("p { color: #badbad }", "utf-8")
    made.write(
        "templates/mail/mail.css",
        f"@import url({there}/x.css);\n@import url(file://{tmp_path}/outside.css);\n"
        f"@import '../../../outside.css';\np {{ background: url({there}/p.gif); color: #123456 }}\n",
    )
    built_in = (HERE / "templates/mail/mail.html").read_text("utf-8")
    sheet = (
        f'<link rel="stylesheet" href="{there}/y.css"><LINK REL="alternate StyleSheet" href="{there}/z.css">'
        f"<style>@import url({there}/w.css); p {{ font-variant: small-caps }}</style>"
    )
    assert "</head>" in built_in
    made.write("templates/mail/mail.html", built_in.replace("</head>", sheet + "\n</head>", 1))
    ran = made.run("send", "--yes")
    assert ran.code == 0, ran
    (message,) = mails(made)
    html = body(message, "html")
    assert "color:#123456" in html
    assert "font-variant:small-caps" in html
    assert "badbad" not in html
    assert "stylesheet" not in html.lower()
    assert "@import" not in html
    assert paths == []


def test_names_that_are_formulas_leave_quoted_and_come_back_as_they_were(
    letter: Callable[..., Letter], tmp_path: Path
) -> None:
    names = ["=cmd|'/C calc'!A0", "+1 (555)", "-2+3", "@SUM(1;2)", "'t Hooft", 'a, "b"; c', "Ana"]
    rows = [["email", "name"], *([f"{n}@example.com", name] for n, name in enumerate(names))]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    made = letter(text.getvalue())
    assert made.run("subscribers", "add", "quoted@example.com", "--name", "'=1+1").code == 0
    exported = made.run("subscribers", "export")
    assert exported.code == 0
    cells = list(csv.reader(io.StringIO(exported.out)))
    assert len(cells) == len(rows) + 1
    for cell in (cell for row in cells for cell in row):
        assert not cell.startswith(("=", "+", "-", "@")), cell
    assert cells[1][1] == "'=cmd|'/C calc'!A0"
    other = copy_sample(tmp_path / "other")
    assert other.run("subscribers", "import", "-", stdin=exported.out).code == 0
    people = other.run("subscribers", "list", "--json").json
    assert people == made.run("subscribers", "list", "--json").json
    assert [person["name"] for person in people] == [*names, "'=1+1"]
    assert other.run("subscribers", "export").out == exported.out
