"""The audit's page in a real browser: it shows everything, and asks nobody for anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from relay.audit.findings import Audit
from relay.audit.page import page
from tests.servers.chromium import Tab, tab
from tests.unit.audit import story

pytestmark = pytest.mark.needs("chromium")

#: What cannot be seen at a glance: elements wider than the window that do not scroll by themselves.
SPILLING = """
[...document.querySelectorAll('body *')].filter(each =>
    each.getBoundingClientRect().right > innerWidth + 1
    && !each.closest('.scroll') && !each.closest('.unseen') && !each.closest('details:not([open])')
).map(each => each.tagName + ' ' + each.className.toString())
"""


def written(folder: Path, *audits: Audit) -> str:
    file = folder / "audit.html"
    text = page(audits, version="0.1.0", made_at=story.NOW)
    file.write_text(text, encoding="utf-8")
    return file.as_uri()


def complaints(browser: Tab) -> list[object]:
    """What the browser says went wrong: the console, the policy, exceptions."""
    return [
        *browser.told("Log.entryAdded"),
        *browser.told("Runtime.consoleAPICalled"),
        *browser.told("Runtime.exceptionThrown"),
    ]


async def test_the_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    url = written(tmp_path, story.an_audit(), story.a_partial_audit())
    async with tab(tmp_path / "profile") as browser:
        await browser.open(url)

        requested = [each["request"]["url"] for each in browser.told("Network.requestWillBeSent")]
        assert requested == [url]
        assert complaints(browser) == []
        seen = await browser.run("document.body.innerText")
        for part in (
            "Northwind Coffee",
            "What is wrong, and what to do",
            "Since when",
            "From arrival to spend",
            "What a conversion costs, and what it brings",
            "Who can be matched",
            "What was looked at",
            "4,628.40 EUR",
            "Partial run.",
        ):
            assert part in seen
        drawn = (
            "[...document.querySelectorAll('svg')].map(each => each.getBoundingClientRect().height)"
        )
        heights = await browser.run(drawn)
        assert len(heights) >= 11
        assert all(height > 20 for height in heights)


@pytest.mark.parametrize("width", [1280, 400, 320])
async def test_nothing_spills_over_the_window(tmp_path: Path, width: int) -> None:
    long = replace(story.ADVERTISER, name="W" * 500)
    audit = story.an_audit()
    hostile = replace(audit, facts=replace(audit.facts, advertiser=long))
    url = written(tmp_path, audit, hostile)
    async with tab(tmp_path / "profile") as browser:
        await browser.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=True,
        )  # fmt: skip
        await browser.open(url)

        assert await browser.run(SPILLING) == []
        assert await browser.run("document.documentElement.scrollWidth") <= width


async def test_names_of_others_run_nothing(tmp_path: Path) -> None:
    attack = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    finding = story.a_finding(says=attack, do=attack, source=attack)
    audit = story.an_audit()
    advertiser = replace(story.ADVERTISER, name=attack)
    hostile = replace(audit, facts=replace(audit.facts, advertiser=advertiser), findings=[finding])
    url = written(tmp_path, hostile)
    async with tab(tmp_path / "profile") as browser:
        await browser.open(url)

        assert (await browser.run("document.title")).startswith("Audit: <script>")
        assert await browser.run("document.querySelectorAll('script, img').length") == 0
        assert complaints(browser) == []


async def test_the_policy_of_the_page_forbids_what_could_be_slipped_in(tmp_path: Path) -> None:
    """Were a name not escaped after all, the browser would still refuse to run and to load."""
    file = tmp_path / "audit.html"
    text = page([story.an_audit()], version="0.1.0", made_at=story.NOW)
    slipped = "<script>document.title='taken'</script><img src='https://relay.invalid/x.png'>"
    file.write_text(text.replace("<main>", f"<main>{slipped}"), encoding="utf-8")
    async with tab(tmp_path / "profile") as browser:
        await browser.open(file.as_uri())

        assert await browser.run("document.title") != "taken"
        refused = [str(each).count("Content Security Policy") for each in complaints(browser)]
        assert len(refused) == 2
        assert all(refused)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_has_contrast_in_light_and_dark(tmp_path: Path, scheme: str) -> None:
    """4.5 to 1, as WCAG 2 asks for."""
    url = written(tmp_path, story.an_audit(), story.a_partial_audit())
    async with tab(tmp_path / "profile") as browser:
        await browser.ask(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        await browser.open(url)

        faint = await browser.run(FAINT)
        assert faint == []


#: Texts with less than 4.5 to 1 against what lies behind them.
FAINT = """
(() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = each => {
    for (let here = each; here; here = here.parentElement) {
      const colour = getComputedStyle(here).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  const texts = 'h1,h2,h3,p,span,dt,dd,td,th,caption,summary,li,figcaption,svg text';
  for (const each of document.querySelectorAll(texts)) {
    if (!each.textContent.trim() || each.matches('.onbar, .onflag')) continue;
    const style = getComputedStyle(each);
    const ink = each instanceof SVGElement ? style.fill : style.color;
    const [one, two] = [light(ink), light(behind(each))].sort((a, b) => b - a);
    const name = [each.tagName, each.getAttribute('class'), ink].join(' ');
    if ((one + 0.05) / (two + 0.05) < 4.5) found.push(name);
  }
  return [...new Set(found)];
})()
"""
