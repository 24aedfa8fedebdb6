"""What a form may ask for and a chart may be, for those who only describe one."""

from __future__ import annotations

from typing import Literal

FieldType = Literal["text", "longtext", "number", "date", "datetime", "time", "checkbox", "select", "multiselect"]
ChartType = Literal["line", "bar", "area", "scatter", "pie", "histogram"]
