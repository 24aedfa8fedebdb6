"""Numbers as text, the way an English `Intl.NumberFormat` writes them, and text as numbers (a2ui reference, section 4)."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

_CONTEXT = Context(prec=400)
"""Room for the largest float with 20 decimals."""

MAX_DECIMALS = 20
_SYMBOLS = {
    "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CNY": "CN¥", "KRW": "₩", "BRL": "R$", "CAD": "CA$",
    "AUD": "A$", "NZD": "NZ$", "MXN": "MX$", "HKD": "HK$", "TWD": "NT$", "ILS": "₪", "VND": "₫", "PHP": "₱",
    "XCD": "EC$", "XPF": "CFPF\xa0", "XAF": "FCFA\xa0", "XOF": "F\u202fCFA\xa0",
}  # fmt: skip
_NO_CENTS = frozenset({
    "AFN", "ALL", "BIF", "CLP", "COP", "DJF", "GNF", "HUF", "IDR", "IQD", "IRR", "ISK", "JPY", "KMF", "KPW", "KRW",
    "LAK", "LBP", "MGA", "MMK", "PKR", "PYG", "RWF", "SLL", "SOS", "SYP", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
    "YER"
})  # fmt: skip
_THREE = frozenset({"BHD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Digits after the point, where they are not two: as browsers have them, from CLDR."""


def to_number(value: object) -> float:
    """`value` as a number: true is 1, text is read, everything else and empty text is not a number."""
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:
            return math.copysign(math.inf, value)
    if isinstance(value, str) and value.strip() and "_" not in value and len(value) < 400:
        try:
            return float(value)
        except ValueError:
            return math.nan
    return math.nan


def number_text(value: float) -> str:
    """A number as plain text, as browsers write it: no `.0`, an exponent from 1e21 on and below 1e-6."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**21 else number_text(to_number(value))
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    sign, digits, power = Decimal(repr(value)).normalize(_CONTEXT).as_tuple()
    letters, point = "".join(map(str, digits)), len(digits) + int(power)
    if point > 21 or point <= -6:
        after = f".{letters[1:]}" if len(letters) > 1 else ""
        text = f"{letters[0]}{after}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    elif point <= 0:
        text = "0." + "0" * -point + letters
    else:
        text = letters[:point].ljust(point, "0") + (f".{letters[point:]}" if len(letters) > point else "")
    return ("-" if sign else "") + text


def format_number(value: float, decimals: int | None = None, grouping: bool = True) -> str:
    """`value` with `decimals` digits after the point, by default up to three; empty when it is no number."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    places = 3 if decimals is None else min(max(decimals, 0), MAX_DECIMALS)
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _CONTEXT)
    text = f"{rounded:,f}" if grouping else f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if decimals is None and "." in text else text


def format_currency(value: float, currency: str, decimals: int | None = None, grouping: bool = True) -> str:
    """An amount with its sign before the symbol. A code that is none leaves the bare amount."""
    if math.isnan(value):
        return ""
    code = currency.upper()
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        return format_number(value, 2 if decimals is None else decimals, grouping=False)
    usual = 0 if code in _NO_CENTS else 3 if code in _THREE else 2
    amount = format_number(value, usual if decimals is None else decimals, grouping)
    sign, amount = ("-", amount[1:]) if amount.startswith("-") else ("", amount)
    return f"{sign}{_SYMBOLS.get(code, code + chr(0xA0))}{amount}"
