"""What is said of colours is what a browser shows, in its own light and dark and in a forced one."""

from __future__ import annotations

import base64
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from conftest import CHROMIUM, QUIET
from support.looks import opened

from pipeline.clients.colours import css_colour
from pipeline.clients.contrast import pairs
from pipeline.clients.degrade import text_doubled, without_images, without_style
from pipeline.clients.forced_dark import dark_background, dark_text, force_dark
from pipeline.clients.glyphs import width
from pipeline.clients.scheme import in_scheme

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

#: Of every visible text: the text, its colour, what lies behind it, whether it is large.
SEEN = r"""() => {
  const root = getComputedStyle(document.documentElement).colorScheme;
  const dark = root === 'dark' || root.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches;
  const canvas = dark ? [18, 18, 18, 1] : [255, 255, 255, 1];
  const number = colour => {
    const found = colour.match(/[\d.]+/g).map(Number);
    return found.length < 4 ? [...found, 1] : found;
  };
  const over = (a, b) => [0, 1, 2].map(n => a[n] * a[3] + b[n] * (1 - a[3])).concat(1);
  const behind = element => {
    const own = number(getComputedStyle(element).backgroundColor);
    if (own[3] === 1) return own;
    return over(own, element.parentElement ? behind(element.parentElement) : canvas);
  };
  const plain = colour => colour.slice(0, 3).map(Math.round).join();
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walk.nextNode();) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!/[^\s\u00ad\u034f\u200b-\u200f\u2060\ufeff]/.test(node.data)) continue;
    if (['STYLE', 'SCRIPT', 'TITLE'].includes(element.tagName)) continue;
    const shown = element.checkVisibility({visibilityProperty: true, opacityProperty: true});
    if (!shown && !element.closest('details')) continue;
    const back = behind(element), size = parseFloat(style.fontSize);
    found.push([
      node.data.replace(/\s+/g, ' ').trim().slice(0, 40),
      plain(over(number(style.color), back)),
      plain(back),
      size >= 24 || size >= 18.66 && style.fontWeight >= 700,
    ]);
  }
  return found;
}"""


def told(html: str, scheme: Any, width: int) -> list[list[Any]]:
    return [
        [
            pair.text.removesuffix("…")[:40],
            ",".join(str(int(channel + 0.5)) for channel in pair.colour.channels),
            ",".join(str(int(channel + 0.5)) for channel in pair.background.channels),
            pair.large,
        ]
        for pair in pairs(html, width=width, schemes=[scheme])
    ]


#: Whatever a stranger's theme may do: inheritance, specificity, alpha, old attributes, links and marks of no colour.
STRANGE = """<!DOCTYPE html><html><head>{meta}<style>
  .a p {{ color: #123456 }} p.b {{ color: rgb(200 0 0 / .5) }} p {{ color: green }} #c {{ color: #00f !important }}
  td > .d {{ background: rgba(0, 0, 0, .3) }} .e + p {{ color: inherit }}
  .e ~ .f {{ color: hsl(30 100% 30%); font: bold 20px/1.5 serif }}
  @media (prefers-color-scheme: dark) {{ .a p {{ color: #cde }} body {{ background-color: #222 }} }}
  @media not all and (prefers-color-scheme: dark) {{ .g {{ color: #a00 }} }}
  @media (max-width: 400px) {{ .h {{ color: #070; font-size: 30px }} }}
  @media (width > 400px) {{ .h {{ color: #707 }} }} @media (width <= 640px) {{ .m {{ color: #0b0 }} }}
  @media print {{ p {{ color: #f0f }} }}
  .gone {{ display: none }} .void {{ opacity: 0 }} .i:not(.j) {{ color: #0a7 }}
  a:hover {{ color: red }} [data-ogsc] p {{ color: red }}
  .k {{ color: blue; color: nonsense }} .l {{ font-size: 150% }}
</style></head><body text="#111111">
<div class="a"><p>one<b>two</b></p><p class="b">three</p></div><p id="c" style="color:red">four</p>
<table bgcolor="ffeedd"><tr><td>
<div class="d">five <a href="/">six</a></div><p class="e">seven</p><p>eight</p><p class="f">nine</p></td>
<td bgcolor="navy" style="color:#fff">ten <font color="#ff0" size="6">eleven</font></td></tr></table>
<mark>twelve</mark><p class="gone">no</p><p class="void">no</p><p class="g">thirteen</p><p class="h">fourteen</p>
<h2>fifteen</h2><p class="i">sixteen</p><p class="i j">seventeen</p><p class="k">eighteen</p>
<div class="l"><b class="l">nineteen</b></div><a>twenty</a><p class="m">more</p></body></html>"""
DARK_META = '<meta name="color-scheme" content="light dark">'


@pytest.mark.parametrize(
    ("name", "window", "scheme"),
    [
        ("full", 320, "light"),
        ("full", 640, "dark"),
        ("strange", 320, "dark"),
        ("strange", 640, "light"),
        ("strange and dark", 320, "light"),
        ("strange and dark", 640, "dark"),
    ],
)
def test_every_texts_colours_and_size_are_those_of_the_browser(
    browser: Browser, full: str, name: str, window: int, scheme: str
) -> None:
    html = full if name == "full" else STRANGE.format(meta=DARK_META if "dark" in name else "")
    with opened(browser, html, window, scheme) as page:
        seen = page.evaluate(SEEN)
    assert len(seen) > 15
    assert told(html, scheme, window) == seen


@pytest.mark.parametrize("own", ["light", "dark"])
def test_a_page_in_a_scheme_looks_so_whatever_its_viewer_prefers(
    browser: Browser, full: str, own: str
) -> None:
    for scheme in ("light", "dark"):
        with opened(browser, full, 640, scheme) as page:
            wanted = page.evaluate(SEEN)
        with opened(browser, in_scheme(full, scheme), 640, own) as page:  # type: ignore[arg-type]
            assert page.evaluate(SEEN) == wanted


def test_forced_dark_is_what_is_told_of_it(browser: Browser, full: str) -> None:
    for html in (full, STRANGE.format(meta="")):
        with opened(browser, force_dark(html), 640) as page:
            seen = page.evaluate(SEEN)
        assert told(html, "forced", 640) == seen


#: Squares of a background, then blocks of text, each 10 px high.
COLOURS = (
    "#ffffff #f3f5f4 #eeeeee #cecece #cdcdcd #cccccc #969696 #959595 #808080 #0b5e63 #1b2327 "  # noqa: SIM905
    "#4a555d #000000 #ffff00 #ff0000 #00ff00 #0000ff #0000ee #ffeedd #e8f0ff #7a868c #ffc0cb #7fd1cf #c0ffee".split()
)
PIXELS = """async ([png, heights]) => {
  const image = new Image(); image.src = 'data:image/png;base64,' + png; await image.decode();
  const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height;
  const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
  return heights.map(y => [...context.getImageData(5, y, 1, 1).data].slice(0, 3));
}"""


def test_each_colour_is_darkened_as_chromium_darkens_it(browser: Browser) -> None:
    """Its algorithmic darkening is what web views of Android have, and so most mail apps there."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    squares = [f'<div style="background:{each}"></div>' for each in COLOURS]
    squares += [f'<div style="color:{each}">████</div>' for each in COLOURS]
    sheet = "body{margin:0} div{height:10px;width:10px;overflow:hidden;font:10px/10px monospace}"
    # The first is for the headless shell, the next two are for a whole Chromium.
    forcing = ["--blink-settings=forceDarkModeEnabled=true", "--force-dark-mode"]
    forcing += ["--enable-features=WebContentsForceDark", "--force-color-profile=srgb"]
    darkening = browser.browser_type.launch(executable_path=path, args=[*QUIET, *forcing])
    page = darkening.new_page(viewport={"width": 40, "height": 10 * len(squares)})
    page.set_content(f"<style>{sheet}</style>{''.join(squares)}")
    png = base64.b64encode(page.screenshot()).decode()
    darkening.close()
    with opened(browser, "<p>", 100) as page:
        seen = page.evaluate(PIXELS, [png, [10 * n + 5 for n in range(len(squares))]])
    wanted = [dark_background(css_colour(each)) for each in COLOURS]  # type: ignore[arg-type]
    wanted += [dark_text(css_colour(each)) for each in COLOURS]  # type: ignore[arg-type]
    for name, colour, channels in zip([*COLOURS, *COLOURS], wanted, seen, strict=True):
        # A glyph's pixels lose one to blending; yellow's blue channel clips a little differently.
        assert max(abs(one - other) for one, other in zip(colour.channels, channels, strict=True)) <= 2, name


SIZES = """() => [...document.body.querySelectorAll('*')].map(element => {
  const style = getComputedStyle(element);
  return [parseFloat(style.fontSize), parseFloat(style.lineHeight) || 0];
})"""
OWN_SIZES = """<p>a</p><p style="font-size:1.5em">b <small>c</small></p>
<p style="font:bold 12pt/1.4 serif">d</p><p style="font-size:large;line-height:1.2em">e</p><font size="5">f</font>
<h2>g</h2><p style="font-size:max(14px,1vw)">h</p>"""


def test_text_at_200_percent_is_twice_as_large_everywhere(browser: Browser, full: str) -> None:
    for html in (full, f"<!DOCTYPE html><html><head></head><body>{OWN_SIZES}</body></html>"):
        with opened(browser, html, 640) as page:
            before = page.evaluate(SIZES)
        with opened(browser, text_doubled(html), 640) as page:
            after = page.evaluate(SIZES)
        assert after == [pytest.approx([2 * size, 2 * line]) for size, line in before]


PICTURES = """<img src="https://e.example/1.png" srcset="https://e.example/2.png 2x" alt="A <chart> &amp; more"
width="300" height="120"><img src="https://e.example/3.png" alt="">
<table background="https://e.example/4.png"><tr>
<td style="background:#fff url('https://e.example/5.png')">x</td></tr></table>
<picture><source srcset="https://e.example/6.png"><img src="https://e.example/7.png" alt="seven"></picture>"""


def test_with_pictures_off_nothing_is_asked_for_and_the_alt_text_stands_in_its_box(
    browser: Browser, full: str
) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.route("**/*", lambda route: (asked.append(route.request.url), route.abort()))
    for html in (
        full,
        f"<style>p{{background-image:url(https://e.example/8.png)}}</style><p>y</p>{PICTURES}",
    ):
        page.set_content(html)
        assert asked
        asked.clear()
        page.set_content(without_images(html), wait_until="networkidle")
        assert asked == []
    box = page.evaluate(
        "(b => [b.textContent, b.offsetWidth, b.offsetHeight])(document.querySelector('[role=img]'))"
    )
    assert box == ["A <chart> & more", 300, 120]
    assert page.locator("source, img, [srcset], [background]").count() == 0
    assert page.evaluate("[...document.querySelectorAll('[role=img]')].map(b => b.textContent)")[1:] == [
        "seven"
    ]
    page.close()


def test_without_style_only_style_attributes_are_left(browser: Browser, full: str) -> None:
    with opened(browser, without_style(full), 320, "dark") as page:
        assert page.evaluate("document.querySelectorAll('style, [class], link').length") == 0
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") == "30px"


WIDE = """([signs, weight]) => {
  const context = document.createElement('canvas').getContext('2d');
  const wide = (sign, font) => {
    context.font = `${weight} 1000px ${font}`;
    return context.measureText(sign).width;
  };
  if (wide('mi', '"Liberation Sans", monospace') !== wide('mi', '"Liberation Sans", serif')) return null;
  return signs.map(sign => wide(sign, '"Liberation Sans"'));
}"""


def test_glyphs_are_as_wide_as_those_of_a_font_with_these_metrics(browser: Browser) -> None:
    letters = [sign for sign in map(chr, range(0xC0, 0x180)) if sign.isalpha()]
    signs = [*map(chr, range(32, 127)), *letters[:64], *"–—‘’“”„•…€™ŒœŁłŠšŽžŸ¡¿«»§°·"]
    with opened(browser, "<p>", 100) as page:
        for bold in (False, True):
            seen = page.evaluate(WIDE, [signs, 700 if bold else 400])
            if seen is None:
                pytest.skip("no font with Helvetica's metrics is here")
            ours = [width(sign, bold=bold) * 1000 for sign in signs]
            pairs_of = zip(signs, ours, seen, strict=True)
            assert [each for each in pairs_of if abs(each[1] - each[2]) > 2] == []
