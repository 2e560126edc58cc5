"""What premailer and cssutils would do to a mail if nothing held them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.render.mail.inline import inline


def page(body: str, head: str = "") -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><title>t</title>{head}</head>\n<body>{body}</body></html>\n'
    )


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A server that answers nothing and remembers who came."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    came.append("a connection")

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)


REACHING = """
import os, sys, threading
from pipeline.render.mail.inline import inline
port, secret, fifo = sys.argv[1:]
places = [f"http://127.0.0.1:{port}/a.css", f"https://127.0.0.1:{port}/a.css", f"ftp://127.0.0.1:{port}/a.css",
          f"//127.0.0.1:{port}/a.css", f"file://{secret}", f"file://{fifo}", secret, fifo]
imports = "".join(f'@import url({p}); @import "{p}"; @import url("{p}") screen;\\n' for p in places)
urls = "".join(f"p {{ background-image: url({p}); }} li {{ list-style-image: url('{p}'); }}\\n" for p in places)
font = f"@font-face {{ font-family: x; src: url({places[0]}); }}"
sheet = imports + font + urls + "@namespace url(" + places[0] + ");"
links = "".join(f'<link rel="stylesheet" href="{p}"><link rel="alternate stylesheet" href="{p}">' for p in places)
html = f'''<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://127.0.0.1:{port}/strict.dtd">
<html><head><link rel="stylesheet"><link rel=stylesheet href>{links}<base href="http://127.0.0.1:{port}/">
<style>{sheet}</style><style media="screen">{sheet}</style></head>
<body background="{places[0]}"><p style="background-image: url({places[0]})">text<img src="{places[0]}"></p>
<svg><image href="{places[0]}"/></svg></body></html>'''
inline("<!DOCTYPE html><html><head></head><body><p>a</p></body></html>", "p { color: #112233; }")  # imports are done

seen = []
def hook(event, arguments):
    if event in ("open", "os.open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.listdir",
                 "urllib.Request", "ftplib.connect"):
        seen.append((event, str(arguments)[:200]))
sys.addaudithook(hook)
descriptors = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
seen.clear()
made = inline(html, sheet)
reached = list(seen)
assert "text" in made and "<link" not in made and "@import" not in made, made
print("reached:", reached)
sys.exit(1 if reached else 0)
"""


def test_a_sheet_that_reaches_out_fetches_nothing_and_opens_no_file(
    tmp_path: Path, listener: tuple[int, list[str]]
) -> None:
    port, came = listener
    secret, fifo = tmp_path / "secret.css", tmp_path / "fifo"
    secret.write_text("p { color: #ff0000; }")
    os.mkfifo(fifo)  # whoever opens it waits for ever
    done = subprocess.run(
        [sys.executable, "-c", REACHING, str(port), str(secret), str(fifo)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert came == []


def test_what_an_imported_file_says_never_reaches_the_mail(tmp_path: Path) -> None:
    (tmp_path / "red.css").write_text("p { color: #ff0000; }")
    made = inline(page("<p>a</p>"), f"@import url(file://{tmp_path}/red.css); p {{ margin-top: 0; }}")
    assert '<p style="margin-top:0">a</p>' in made


def test_six_digit_colours_stay_six_digits_and_three_become_six() -> None:
    css = "p { color: #222222; background-color: #FFF; border-top-color: #AbC; } b { background-image: url(a#fff); }"
    made = inline(page('<p style="outline-color: #fff">a<b>c</b></p>'), css)
    assert (
        "color:#222222;background-color:#FFFFFF;border-top-color:#AAbbCC;outline-color:#ffffff".lower()
        in made.lower()
    )
    assert "url(a#fff)" in made


@pytest.mark.parametrize("doctype", ["<!doctype html>", "<!DOCTYPE html>", "<!DocType HTML>"])
def test_the_mail_is_never_in_quirks_mode(doctype: str) -> None:
    made = inline(page("<p>a</p>").replace("<!DOCTYPE html>", doctype), "p { color: #112233; }")
    assert made.startswith("<!DOCTYPE html>\n<html")
    assert made.lower().count("<!doctype") == 1


def test_comments_for_outlook_come_through_whole() -> None:
    hidden = '<!--[if mso]><table bgcolor="#222"><tr><td class="z"><![endif]-->'
    shown = "<!--[if !mso]><!--><i>a</i><!--<![endif]-->"
    made = inline(page(f"{hidden}<p>x</p>{shown}"), ".z { color: #112233; }")
    assert hidden in made
    assert shown in made
    revealed = inline(page("<![if !mso]><i>a</i><![endif]>"), "i { color: #112233; }")
    assert '<!--[if !mso]><!--><i style="color:#112233">a</i><!--<![endif]-->' in revealed


def test_rules_that_only_a_client_can_decide_keep_their_importance() -> None:
    kept = (
        "@media (max-width: 600px) { .pad > p { padding-left: 20px !important; } }\n"
        "[data-ogsc] .a { color: #112233 !important; } u + .b { width: 100% }\n"
        "@font-face { font-family: x } @supports (display: grid) { * { color: red } }"
    )
    made = inline(
        page('<p class="a">a</p>', f'<style data-premailer="ignore">{kept}</style>'), "p { color: #445566; }"
    )
    assert f"<style>{kept}</style>" in made
    assert '<p class="a" style="color:#445566">a</p>' in made


def test_a_pictures_own_size_stays_its_size() -> None:
    made = inline(
        page('<img src="a.png" width="560" height="300" alt="">'), "img { width: 100%; height: auto; }"
    )
    assert '<img src="a.png" width="560" height="300" alt="" style="width:100%;height:auto">' in made


def test_classes_that_nothing_names_any_more_are_dropped() -> None:
    made = inline(
        page(
            '<p class="a b">x</p><p class="b">y</p>', '<style data-premailer="ignore">.a{color:red}</style>'
        ),
        ".b { color: #112233; }",
    )
    assert '<p class="a" style="color:#112233">x</p><p style="color:#112233">y</p>' in made


def test_text_between_dropped_links_stays() -> None:
    assert "before after" in inline(
        page("before <link rel='StyleSheet' href='x'>after"), "p { color: #112233; }"
    )


def test_a_deeply_nested_page_is_not_cut_off() -> None:
    deep = "<div>" * 400 + "<p>bottom</p>" + "</div>" * 400
    assert '<p style="color:#112233">bottom</p>' in inline(page(deep), "p { color: #112233; }")


def test_letters_of_every_script_stay_letters() -> None:
    made = inline(
        page("<p>Kopfschmerz – naïve 頭痛 صداع 🙂 &amp; &lt;b&gt;&nbsp;</p>"), "p { color: #112233; }"
    )
    assert "Kopfschmerz – naïve 頭痛 صداع 🙂 &amp; &lt;b&gt;\u00a0</p>" in made


def test_a_sheet_with_nonsense_in_it_is_no_noise(capfd: pytest.CaptureFixture[str]) -> None:
    made = inline(
        page('<p style="foo:;;bar:1;color:{}">a</p>'),
        "p { colour: rouge; mso-hide: all } }} a:::b {} @nonsense x;",
    )
    assert "mso-hide:all" in made
    assert capfd.readouterr() == ("", "")


def test_the_same_page_gives_the_same_bytes_from_any_thread() -> None:
    html = page("".join(f'<p class="c{n % 7}">text <b>{n}</b></p>' for n in range(60)))
    css = (
        "".join(f".c{n} {{ color: #11223{n}; margin-top: {n}px; }}\n" for n in range(7))
        + "b { font-weight: bold; }"
    )
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: inline(html, css), range(24)))) == 1
