"""Nothing that acts by itself reaches a reader, whatever a post holds."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.render.content.sanitise import ATTRIBUTES, CLASSES, SWALLOWED, TAGS, normalise, sanitise
from pipeline.render.content.tree import parse, scrub, serialise

VECTORS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\n>alert(1)</script\n>",
    "<script/x>alert(1)</script>",
    "<<script>alert(1)//<</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror\n=alert(1)//",
    "<img/src=x/onerror=alert(1)>",
    "<img src=`x` onerror=alert(1)>",
    '<img """><script>alert(1)</script>">',
    "<img src=javascript:alert(1)>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<img srcset='javascript:alert(1) 1x'>",
    "<svg onload=alert(1)></svg>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<math href=javascript:alert(1)>x</math>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<applet code=x></applet>",
    "<form action=javascript:alert(1)><input type=submit></form>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)></select>",
    "<textarea><script>alert(1)</script></textarea>",
    "<video src=x onerror=alert(1)></video>",
    "<audio><source onerror=alert(1)></audio>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<base href=javascript:alert(1)//>",
    "<link rel=stylesheet href=javascript:alert(1)>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<style>@import 'javascript:alert(1)';</style>",
    "<style><!--</style><script>alert(1)//--></script>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<p style='width:expression(alert(1))'>x</p>",
    "<span style='position:fixed;top:0'>x</span>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;&#97;vascript:alert(1)'>x</a>",
    "<a href='java&NewLine;script:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href=https://e.org onclick=alert(1) onmouseover='alert(1)'>x</a>",
    "<a href='https://e.org' target=_blank ping=https://evil.example>x</a>",
    "<a data-line=1 data-to=javascript:alert(1) href=https://e.org>x</a>",
    "[x](javascript:alert(1))",
    "[x](<java script:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '![x](https://e.org/x.png"onerror="alert(1))',
    "[x](https://e.org 'a\" onclick=\"alert(1)')",
    "[<img src=x onerror=alert(1)>](https://e.org)",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    "```<script>alert(1)</script>\nx\n```",
    '# <script>alert(1)</script> {#x" onclick="alert(1)}',
    "a[^<script>]\n\n[^<script>]: <script>alert(1)</script>",
    "|<script>|\n|---|\n|<img src=x onerror=alert(1)>|",
    "<!--><script>alert(1)</script>-->",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php <script>alert(1)</script> ?>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<title><img src=x onerror=alert(1)></title>",
    "<xmp><script>alert(1)</script></xmp>",
    "<plaintext><script>alert(1)</script>",
    "<p id=location name=cookie class='masthead hero' onclick=alert(1)>x</p>",
    "<custom-thing onclick=alert(1)>x</custom-thing>",
    "{{ '<script>' }}<script>{{ x }}</script>",
]


class Reader(HTMLParser):
    """Holds every tag and attribute against the allow-list, as an independent parser sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name == "class":
                allowed = set((value or "").split()) <= CLASSES.get(tag, set())
            elif name in ("href", "src"):
                allowed = re.match(r"https?://|mailto:|tel:", value or "") is not None
            elif name == "id":
                allowed = (value or "").startswith("c-")
            else:
                allowed = name in ATTRIBUTES.get(tag, set()) | ATTRIBUTES["*"] and not name.startswith("on")
            if not allowed:
                self.faults.append(f"<{tag} {name}={value}>")


def faults(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.faults


@pytest.mark.parametrize("vector", VECTORS)
def test_an_attack_reaches_no_reader(body, vector):
    made = body(f"before\n\n{vector}\n\nafter")
    for html in (made.web, made.mail):
        assert faults(html) == []
        assert "before" in html
    assert faults(sanitise(vector)) == []


@pytest.mark.parametrize(
    ("markdown", "url"),
    [
        ("[x](javascript:alert(1))", "javascript:alert(1)"),
        ("a\n\n<a href='JaVaScRiPt:alert(1)'>x</a>", "JaVaScRiPt:alert(1)"),
        ("<a href='java&NewLine;script:alert(1)'>x</a>", "javascript:alert(1)"),
        ("[x](data:text/html,hi)", "data:text/html,hi"),
        ("[x](vbscript:a)", "vbscript:a"),
    ],
)
def test_a_forbidden_address_is_reported_as_written_but_never_shown(body, markdown, url):
    made = body(markdown)
    assert [(link.url, link.line) for link in made.links] == [(url, 5 + markdown.count("\n"))]
    assert url not in made.web + made.mail + made.text
    assert "x" in made.text


def test_what_posts_are_made_of_survives(body):
    html = (
        "<figure><img src='https://e.org/x.png' alt='x' width='10' height='5'><figcaption>c</figcaption></figure>\n"
        "<dl><dt>t</dt><dd>d</dd></dl>\n<p lang='fr' dir='ltr'><kbd>k</kbd> <mark>m</mark> <small>s</small>"
        " <ins>i</ins> <q>q</q> <cite>c</cite> <abbr title='a'>b</abbr> <sub>1</sub></p>\n"
        "<table><tbody><tr><td colspan='2'>x</td></tr></tbody></table>"
    )
    web = body(html).web.replace('"', "'")
    for part in re.findall(r"<[^/][^>]*>", html):
        assert part in web, part


def test_ids_cannot_clash_with_the_pages_own(body):
    web = body("# Main\n\n## Main\n\n<p id='main'>x</p> <a name='content'></a>").web
    ids = re.findall(r' id="([^"]*)"', web)
    assert len(ids) == len(set(ids)) == 4
    assert all(name.startswith("c-") for name in ids)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\x00b\x08c\x1fd", "abcd"),
        ("a\u2028b\x0bc\x85d", "a b c d"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("\u2067שלום\u2069 x", "\u2067שלום\u2069 x"),
        ("\u2067שלום x", "שלום x"),
        ("x\u2069 y\u202c", "x y"),
        ("\ufdd0\uffff\ufffe", ""),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_characters_that_are_no_text_are_removed(text, clean):
    assert scrub(text) == clean


def test_hidden_characters_are_removed_even_if_written_as_entities(body):
    made = body("a&#8238;b&#8238;c &#8232; d&#1;")
    assert "\u202e" not in made.mail + made.text
    assert "\u2028" not in made.text
    assert "abc" in made.text


@pytest.mark.parametrize("vector", VECTORS)
def test_sanitising_twice_changes_nothing(vector):
    once = sanitise(serialise(parse(normalise(vector))))
    assert sanitise(once) == once
    assert sanitise(serialise(parse(once))) == once


def test_the_lists_do_not_contradict_each_other():
    assert not TAGS & SWALLOWED


PIECES = st.sampled_from(
    [*VECTORS, "<", ">", '"', "'", "`", "\n\n", "\n", "[", "](", ")", "<p ", "on", "=", "&", "|", "- ", "> "]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=12))
def test_no_mixture_gets_through(body, parts):
    made = body("".join(parts))
    assert faults(made.web) == []
    assert faults(made.mail) == []


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ('<span style="color:#fff">x</span>', "<span>x</span>"),
        ('<p style="position:fixed;text-align:center">x</p>', "<p>x</p>"),
        ('<p style="text-align:center">x</p>', '<p style="text-align:center">x</p>'),
        ('<span class="tok-keyword hero">x</span>', '<span class="tok-keyword">x</span>'),
        ('<table><tbody><tr><td colspan="100000">x</td></tr></tbody></table>', "<td>x</td>"),
        ('<div tabindex="9">x</div>', "<div>x</div>"),
        ('<a href="https://e.org" role="button">x</a>', '<a href="https://e.org">x</a>'),
        ('<p lang="x&quot;y" dir="up">x</p>', "<p>x</p>"),
        ('<img src="https://e.org/x.png" alt="" width="99999999">', '<img src="https://e.org/x.png" alt="">'),
    ],
)
def test_values_are_held_to_a_list_too(html, kept):
    assert kept in sanitise(html)
