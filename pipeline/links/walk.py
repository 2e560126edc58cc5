"""Follows one link to its end, redirect by redirect, and says what was found there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pipeline.links.judge import REDIRECTS, Fault, fault, judge, moved, unhurried
from pipeline.links.manners import Budget, Manners
from pipeline.links.request import Reply, follow
from pipeline.model import LinkAnswer, LinkState


async def walk(url: str, manners: Manners, now: datetime) -> LinkAnswer:
    """Ask an address and all it redirects to, each with the same care, and judge the last answer."""
    budget, here, hops = manners.budget(), url, list[tuple[int, str]]()
    try:
        while True:
            reply = await _page(here, manners, budget)
            if reply.code not in REDIRECTS or not reply.location:
                answer = replace(judge(reply.code, reply.retry_after, now), url=here)
                return moved(url, hops, answer)
            here = follow(here, reply.location)
            if here in {url, *(each for _, each in hops)}:
                raise fault(
                    LinkState.FAILING, "redirects in a circle; perhaps it wants cookies, which are not kept"
                )
            if len(hops) == manners.redirects:
                raise fault(LinkState.FAILING, f"redirects more than {manners.redirects} times")
            hops.append((reply.code, here))
    except Fault as failed:
        if hops and failed.answer.state is LinkState.NOT_CHECKED:
            why = f"it redirects to where nobody was asked: {failed.answer.why}"
            return replace(failed.answer, why=why, url=url)
        return replace(failed.answer, url=here)


async def _page(url: str, manners: Manners, budget: Budget) -> Reply:
    """Ask for the head alone, and for the page where the site does not care for that."""
    try:
        reply = await manners.ask("HEAD", url, budget)
    except Fault as failed:
        if not failed.connected:
            raise
    else:
        # Some servers answer HEAD with any status they can think of; only GET tells what readers get.
        if reply.code < 400 or unhurried(reply.code, reply.retry_after):
            return reply
    return await manners.ask("GET", url, budget)
