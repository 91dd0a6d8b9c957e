"""Names of customers, suppliers and people, in several scripts, and what is bought and sold.

Knows words. Must not know documents or how a business behaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from random import Random

from xero_sandbox.books.money import cents

_FIRST_WORDS = (
    "Ridgeway", "Kōwhai", "Harbour", "Bayside", "Marine", "City", "Hamilton", "Boom", "Young",
    "Basket", "Truxton", "Pinnacle", "Oaktree", "Lakeview", "Fernhill", "Silver", "Northern",
    "Tūī", "Rimu", "Coppersmith", "Blue Door", "Three Crows", "Sunrise", "Old Mill", "Meridian",
    "Juniper", "Elm & Ash", "Granite", "Quay", "Windmill", "Foxglove", "Beacon", "Pōhutukawa",
)  # fmt: skip
_LAST_WORDS = (
    "Management", "Limousines", "Holdings", "Publishing", "Trading Co", "Café", "Systems",
    "Property Group", "Bakery", "Brothers", "Logistics", "Studio", "Primary School", "Hotel",
    "Interiors", "Gardens", "Dental", "Motors", "Wine Bar", "Consulting", "Cycles", "Films",
)  # fmt: skip
# Names that a careless client breaks on: scripts, directions, quotes, markup, emoji.
_UNUSUAL = (
    "Café Ångström & Söhne", "株式会社 山田商店", "北京茶叶有限公司", "ООО «Ромашка»",
    "Ελληνικός Φούρνος", "شركة النخيل للتجارة", "בית קפה אלון", "राजेश ट्रेडर्स",
    "ร้านกาแฟสยาม", "한빛 커피", "O'Neill \"The Baker\" Ltd", "D'Arcy <b>Bold</b> & Co",
    "Smörgås 🥪 Catering", "Đồng Xuân Import", "Żółć Sp. z o.o.", "İstanbul Kahve A.Ş.",
    "José Peña e Hijos", "თბილისი ღვინო", "Երևան Գինի", "Te Whare Whakaahua",
    "ქართული & ქ. „ბატონი“", "தமிழ் அச்சகம்", "বাংলা কাগজ", "ትምህርት ቤት", "שלום & Sons (مرحبا)",
    "<script>alert('x')</script> Ltd", "'; DROP TABLE contacts; --", "\\\\Fileserver\\Orders GmbH",
    "Family 👨‍👩‍👧‍👦 Dental 🦷🏴󠁧󠁢󠁷󠁬󠁳󠁿", "Zürich\u00a0Uhren\u202f&\u200bCo", "Ａｃｍｅ全角カフェ",
    "e\u0301clair vs éclair",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch Agricultural, Horticultural and "
    "Floral Supplies (Proprietary) Limited, trading as The Very Long Name Shop & Sons – Wholesale "
    "Division",
)  # fmt: skip
_SUPPLIERS = (
    "PowerDirect", "Net Connect", "Swanston Security", "Capital Cab Co", "Central Copiers",
    "Melrose Parking", "Xylo Stationery", "MCO Cleaning Services", "Hoyt Productions",
    "Bayside Wholesale", "Gateway Motors", "Dimples Warehouse", "24 Locks", "ABC Furniture",
    "Brunswick Petals", "Espresso 31", "SMART Agency", "Young Bros Transport", "Mötley Müller GmbH",
    "Société Générale d'Emballage", "杭州包装有限公司", "Pacífico Exportações Lda",
    "Αθηναϊκά Μεταφορικά", "Зеленоград Печать", "مطبعة القاهرة", "דפוס תל אביב", "दिल्ली काग़ज़",
    "กระดาษไทย", "大阪印刷所", "서울 사무용품", "Fish 🐟 & Chips 🍟", "\"Quoted\" Supplies",
)  # fmt: skip
PEOPLE = (
    ("Ava", "Ngata"), ("Kaito", "Mori"), ("Zoë", "O'Brien"), ("Søren", "Kierk"), ("Mīria", "Pōtae"),
    ("Amélie", "Dubois"), ("Rajesh", "Iyer"), ("Łukasz", "Nowak"), ("Nguyễn", "An"),
    ("Fatima", "al-Sayed"), ("Tom", "Baker"), ("Grace", "Liu"),
)  # fmt: skip


@dataclass(frozen=True)
class Product:
    """Something bought or sold: price in US dollars, four places; the account's code."""

    description: str
    price: Decimal
    account_code: str
    item_code: str = ""

    @cached_property
    def has_small_parts(self) -> bool:
        """Whether its price has parts of a cent: then it is sold by weight or piece."""
        return self.price != cents(self.price)


def _product(description: str, price: str, *codes: str) -> Product:
    return Product(description, Decimal(price), *codes)


TRADES: dict[str, tuple[Product, ...]] = {
    "coffee": (
        _product("House blend, 1 kg", "21.50", "200", "HB-1"),
        _product("Single origin – Huehuetenango, 250 g", "9.8750", "200", "SO-HUE"),
        _product("Decaf, Swiss water, 1 kg", "24.25", "200", "DEC-1"),
        _product("Grinder service\r\nincluding new burrs", "145.00", "210"),
        _product("Barista training, half a day", "260.00", "210", "TRAIN"),
        _product("Compostable cups, carton of 1000", "0.0975", "260", "CUP-12"),
    ),
    "joinery": (
        _product("Oak window seat, made to measure", "1480.00", "200"),
        _product("Sash window repair", "325.00", "210", "SASH"),
        _product("Site visit & measuring", "95.00", "210", "VISIT"),
        _product('Skirting board 5½", per metre', "11.3350", "200", "SKIRT"),
        _product("Staircase, ash, 13 treads", "4350.00", "200"),
        _product("Delivery within 20 miles", "45.00", "260"),
    ),
    "studio": (
        _product("Brand workshop, per day", "1250.00", "210", "WS-D"),
        _product("Design retainer", "3200.00", "210", "RET"),
        _product("Font licence <desktop>", "199.00", "200", "FONT-D"),
        _product("Illustration, per hour", "118.7500", "210", "ILL-H"),
        _product("Printed zine “Måne” – issue №7", "14.00", "200", "ZINE-7"),
    ),
}

PURCHASES: tuple[Product, ...] = (
    _product("Goods for resale", "480.00", "310"),
    _product("Raw material", "220.00", "310"),
    _product("Monthly electricity", "140.00", "445"),
    _product("Internet and telephone", "89.00", "489"),
    _product("Courier", "36.40", "425"),
    _product("Office rent", "1100.00", "469"),
    _product("Accounting services", "350.00", "412"),
    _product("Newspaper advertisement", "275.00", "400"),
    _product("Van service", "310.00", "449"),
    _product("Cleaning", "120.00", "408"),
)
SMALL_SPENDING: tuple[Product, ...] = (
    _product("Fuel", "64.00", "449"),
    _product("Stationery", "23.90", "453"),
    _product("Lunch with a client", "58.00", "429"),
    _product("Train tickets", "41.50", "493"),
    _product("Software subscription", "29.00", "485"),
    _product("Light bulbs & fuses", "17.35", "473"),
)

# What careless clients break on in a description: scripts, directions, quotes, markup, emoji,
# separators of CSV files, line ends, numbers that look like dates.
DESCRIPTIONS = (
    "Crème brûlée für die Größe XL – naïve façade", "Καφές φίλτρου, 1 κιλό",
    "Кофе в зёрнах, 1 кг", "قهوة عربية، كيلو واحد", "קפה טחון, קילו אחד", "कॉफ़ी बीन्स, १ किलो",
    "เมล็ดกาแฟ 1 กิโลกรัม", "咖啡豆，一公斤", "コーヒー豆（1kg）", "원두 커피 1kg",
    "Coffee ☕️ + 🥐 = 😀",
    'Say "hello", O\'Neill', "<b>Bold</b> & <i>italic</i> &amp; done", "a;b,c\td|e",
    "Line one\nLine two\r\nLine three", "=SUM(A1:A9)", "1/2/2026", "/Date(1584585851967)/", "null",
    "ﷺ ﬁ ½ Ⅷ", "z̶a̶l̶g̶o̶ t̷e̷x̷t̷", "trailing spaces   ", "0010",
    "A description that goes on and on. " * 30,
)  # fmt: skip


def customer_name(random: Random, index: int) -> str:
    """Return a name for the customer of this number; every fifth is an unusual one."""
    if index % 5 == 2:
        return unusual_name(index // 5)
    return f"{random.choice(_FIRST_WORDS)} {random.choice(_LAST_WORDS)}"


def unusual_name(index: int) -> str:
    """Return the unusual name of this number."""
    round_, place = divmod(index, len(_UNUSUAL))
    return _UNUSUAL[place] + (f" {round_ + 1}" if round_ else "")


def supplier_name(index: int) -> str:
    """Return a name for the supplier of this number."""
    round_, place = divmod(index, len(_SUPPLIERS))
    return _SUPPLIERS[place] + (f" ({round_ + 1})" if round_ else "")


def person(random: Random) -> tuple[str, str]:
    """Return a first and a last name."""
    return random.choice(PEOPLE)
