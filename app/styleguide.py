"""The style guide: every component with its variants, on sample data (C-58)."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request

from app.contracts.text import Text
from app.guard import public
from app.styleguide_samples import listing, samples
from app.web.render import render

bp = Blueprint("styleguide", __name__)
SAMPLE = "design reference, no data"

SECTIONS = (
    ("words", Text("Type and colour", "文字与颜色")),
    ("buttons", Text("Buttons and menus", "按钮与菜单")),
    ("status", Text("Status", "状态")),
    ("alerts", Text("Alerts and empty states", "提示与空状态")),
    ("cards", Text("Cards, facts, tabs", "卡片、信息与页签")),
    ("table", Text("List", "列表")),
    ("folds", Text("Folds", "折叠列表")),
    ("form", Text("Forms", "表单")),
    ("choosing", Text("Choosing and sending", "选择与上传")),
    ("overlays", Text("Dialog, drawer, toast", "对话框、抽屉与消息")),
    ("wizard", Text("Wizard and progress", "向导与进度")),
    ("order", Text("Tree and pods", "树与容器组")),
    ("charts", Text("Charts", "图表")),
    ("code", Text("Code, diff, log, terminal", "代码、差异、日志与终端")),
    ("timeline", Text("Timeline and approval", "时间线与审批")),
)


@bp.get("/styleguide")
@public(SAMPLE)
def styleguide() -> Response:
    """Every component with its variants."""
    return render("core/styleguide.html", sections=SECTIONS, **samples())


@bp.get("/styleguide/list")
@public(SAMPLE)
def styleguide_list() -> Response:
    """The sample list again, as a list page answers HTMX."""
    return render("core/_styleguide_rows.html", listing=listing())


@bp.get("/styleguide/part/<name>")
@public(SAMPLE)
def styleguide_part(name: str) -> Response:
    """What a dialog or drawer of the style guide fetches."""
    part = name if name in ("dialog", "delete", "drawer") else "dialog"
    return render("core/_styleguide_part.html", part=part, **samples())


@bp.get("/styleguide/lines")
@public(SAMPLE)
def styleguide_lines() -> Response:
    """A few more lines of the sample log."""
    after = request.args.get("after", 0, type=int)
    words = ("started", "probe answered 200", "session opened", "cache warmed")
    text = "".join(f"line {after + i} INFO  gateway {words[(after + i) % 4]}\n" for i in range(2))
    response = make_response(text, 286 if after > 40 else 200)
    response.headers["X-Next"] = str(after + 2)
    response.mimetype = "text/plain"
    return response
