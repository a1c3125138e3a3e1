"""The encoding of a text file, told from its bytes: Unicode, Russian cp1251, Chinese GB18030, or none.

Bytes that are no Unicode are read both as cp1251 and as GB18030. Russian is believed when most of the text is
words in sensible case made of frequent letters; Chinese when most characters are everyday ones. Both, or
neither, is an error that asks for `encoding`, since a wrong guess would give wrong labels.
"""

from __future__ import annotations

import codecs
import re
from itertools import islice

from optimizer.errors import InputError, Place

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 20_000
_RUSSIAN_WORD = re.compile(r"(?<![A-Za-zА-яЁё])(?:[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+)(?![A-Za-zА-яЁё])")
_FREQUENT_LETTERS = frozenset("оеаинтсрвлОЕАИНТСРВЛ")
_RUSSIAN_SIGNS = frozenset("№«»–—\u00a0")
_EVERYDAY = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形"
    "相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五"
    "果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先"
    "回则任取据处府何万市州省广东南北京津沪渝河湖江浙海陕甘川贵云青宁夏蒙辽吉林黑龙苏安徽福建台港澳藏疆桂琼晋鲁豫鄂湘粤深圳都武汉"
    "收入售销额价格率利润毛成本预算目标客户渠道团队季度半增长单位数合计总计小计线店代商网直营经理主管姓名编号备注项华中端中高低档型"
    "张王李赵刘陈杨黄周吴徐孙马朱胡郭何林罗高郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金"
    "石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷龙史陶贺顾毛郝龚邵万钱严武莫孔伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉珍"
)


def decode(raw: bytes, encoding: str | None, place: Place) -> tuple[str, str]:
    """The text of a file without its byte order mark, and the encoding that was used.

    Raises `InputError` when the given encoding is unknown or does not fit, or when none can be told.
    """
    if encoding is not None:
        return _as_told(raw, encoding, place), encoding
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return _as_told(raw, name, place), name
    try:
        text, name = raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, name = _guess(raw, place)
    if "\0" in text:
        raise InputError("io.encoding_unknown", place)
    return text, name


def _as_told(raw: bytes, encoding: str, place: Place) -> str:
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise InputError("io.encoding_name", place, name=encoding) from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        where = Place(file=place.file, line=line)
        raise InputError("io.encoding_wrong", where, name=encoding) from None


def _guess(raw: bytes, place: Place) -> tuple[str, str]:
    russian, chinese = _decoded(raw, "cp1251"), _decoded(raw, "gb18030")
    is_russian = russian is not None and _looks_russian(russian)
    is_chinese = chinese is not None and _looks_chinese(chinese)
    if russian is not None and is_russian and not is_chinese:
        return russian, "cp1251"
    if chinese is not None and is_chinese and not is_russian:
        return chinese, "gb18030"
    raise InputError("io.encoding_unknown", place)


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _looks_russian(text: str) -> bool:
    """Most characters beyond ASCII stand in words of sensible case, and frequent letters are frequent.

    They must be more frequent than if the bytes were KOI8-R, whose letters cp1251 shows as other letters.
    """
    beyond = [sign for sign in text if sign > "\x7f"][:_SAMPLE]
    signs = sum(sign in _RUSSIAN_SIGNS for sign in beyond)
    words = [word[0] for word in islice(_RUSSIAN_WORD.finditer(text), _SAMPLE // 5)]
    letters = "".join(words)[:_SAMPLE]
    frequent = _frequent(letters)
    return (
        len(letters) + signs >= 0.7 * len(beyond)
        and frequent >= 0.45 * len(letters) > 0
        and frequent > _frequent(letters.encode("cp1251").decode("koi8-r"))
    )


def _frequent(letters: str) -> int:
    return sum(letter in _FREQUENT_LETTERS for letter in letters)


def _looks_chinese(text: str) -> bool:
    """Most characters beyond ASCII are usual ones of GB 2312 or its signs, and a third are everyday ones."""
    beyond = [sign for sign in text if sign > "\x7f"][:_SAMPLE]
    usual = sum(sign in _EVERYDAY or _is_first_level(sign) for sign in beyond)
    everyday = sum(sign in _EVERYDAY for sign in beyond)
    return usual >= 0.8 * len(beyond) and everyday >= 0.3 * len(beyond) > 0


def _is_first_level(sign: str) -> bool:
    """Whether a character is one of the 3,755 usual ones of GB 2312, or one of its punctuation marks."""
    pair = sign.encode("gb18030")
    return len(pair) == 2 and (0xB0 <= pair[0] <= 0xD7 or pair[0] in (0xA1, 0xA3)) and pair[1] >= 0xA1
