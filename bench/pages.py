"""Seeded pages for the cases of kind urls: what a site's articles look like, with a tag in every 45 bytes."""
import os
import random

SEED = 20240229
SITE_LINKS = 10_000
SECTIONS = ("world", "business", "science", "health", "sport", "culture", "travel", "opinion", "video", "archive")
RARE_WORDS = ("café", "naïve", "Zürich", "über", "Ångström", "señor", "東京", "Москва", "R&amp;D", "5&nbsp;km", "&mdash;",
              "&ldquo;so&rdquo;", "AT&amp;T", "&copy;", "&#8364;9", "x &lt; y")
SCRIPT = """(function(w,d){w.dataLayer=w.dataLayer||[];w.dataLayer.push({"page":"%s","start":%d});
for(var i=0;i<d.links.length;i++){if(d.links[i].href.indexOf("//")<0&&i>3){d.links[i].rel="noopener";}}
var s=d.createElement("script");s.async=1;s.src="/static/js/app.js?v=%d";d.head.appendChild(s);})(window,document);"""
STYLE = """.%s{display:flex;margin:0 auto;padding:4px 8px}.%s>a{color:#1a0dab;text-decoration:none}
@media (max-width:640px){.%s{display:block;padding:0}}"""


def vocabulary(source):
    syllables = [a + b for a in ("b", "c", "d", "f", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v")
                 for b in ("a", "e", "i", "o", "u", "an", "er", "in", "on", "es")]
    common = ["the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on"]
    return common * 8 + ["".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(2000)]


class PageMaker:
    def __init__(self, seed=SEED):
        self.source = random.Random(seed)
        self.words = vocabulary(self.source)

    def text(self, count):
        words = self.source.choices(self.words, k=count)
        for _ in range(count // 40):
            words[self.source.randrange(count)] = self.source.choice(RARE_WORDS)
        return " ".join(words)

    def href(self):
        number = self.source.randrange(SITE_LINKS)
        kind = self.source.random()
        if kind < 0.6:
            return f"/{self.source.choice(SECTIONS)}/2024/{self.source.randint(1, 12):02}/article-{number}.html"
        if kind < 0.75:
            return f"../{self.source.choice(SECTIONS)}/?page={number % 50}&amp;sort=date"
        if kind < 0.9:
            return f"https://www.example{number % 300}.com/{self.source.choice(SECTIONS)}/{number}"
        return self.source.choice((f"#section-{number % 20}", f"//cdn.example.net/media/{number}.pdf",
                                   f"mailto:desk{number % 9}@example.com", f"story.html?id={number}"))

    def paragraph(self):
        parts = []
        for _ in range(self.source.randint(2, 4)):
            parts.append(self.text(self.source.randint(8, 30)))
            mark = self.source.random()
            if mark < 0.45:
                parts.append(f'<a href="{self.href()}" class="link link--inline" data-track="body">{self.text(3)}</a>')
            elif mark < 0.65:
                parts.append(f"<em>{self.text(2)}</em>")
        return f'<p class="article__text">{" ".join(parts)}.</p>\n'

    def teaser(self):
        number = self.source.randrange(SITE_LINKS)
        return (f'<li class="teaser teaser--small" id="t{number}"><a class="teaser__link" href="{self.href()}">\n'
                f'  <img class="teaser__image" src="/media/{number}-320.jpg" srcset="/media/{number}-640.jpg 2x" '
                f'width="320" height="180" alt="{self.text(5)}" loading="lazy">\n'
                f'  <h3 class="teaser__title">{self.text(8)}</h3></a>\n'
                f'  <time datetime="2024-02-{number % 28 + 1:02}">{number % 28 + 1} February</time></li>\n')

    def table(self):
        rows = "".join(f"<tr><td>{self.text(1)}</td><td>{self.source.randint(0, 9999)}</td><td>{self.text(2)}</td></tr>\n"
                       for _ in range(self.source.randint(4, 12)))
        return f'<table class="data" border=0><tbody>\n{rows}</tbody></table>\n'

    def page(self, number, sizes):
        size = self.source.randint(*sizes)
        name = self.source.choice(self.words)
        head = (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{self.text(9)} | Page {number}</title>\n'
                f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
                f'<meta property="og:description" content="{self.text(20)}">\n'
                f'<link rel="stylesheet" href="/static/css/main.css?v={number}">\n'
                f"<style>\n{STYLE % (name, name, name)}\n</style>\n<script>{SCRIPT % (name, number, number)}</script>\n</head>\n")
        navigation = "".join(f'<li class="nav__item"><a class="nav__link" href="/{section}/" data-track="nav">{section.title()}'
                             "</a></li>\n" for section in SECTIONS)
        parts = [head, f'<body class="page page--article">\n<!-- rendered by node {number % 7} -->\n<header><nav><ul>\n',
                 navigation, f"</ul></nav></header>\n<main>\n<article>\n<h1>{self.text(9)}</h1>\n"]
        written = sum(map(len, parts))
        while written < size:
            block = self.source.random()
            if block < 0.55:
                part = self.paragraph()
            elif block < 0.9:
                part = f'<ul class="teasers">\n{"".join(self.teaser() for _ in range(self.source.randint(2, 5)))}</ul>\n'
            elif block < 0.96:
                part = self.table()
            else:
                part = f"<script>{SCRIPT % (name, written, number)}</script>\n<h2>{self.text(5)}</h2>\n"
            parts.append(part)
            written += len(part)
        parts.append(f'</article>\n</main>\n<footer><p>&copy; 2024 {self.text(4)} &middot; <a href="/terms">Terms</a></p></footer>\n'
                     "</body>\n</html>\n")
        return "".join(parts)


def write_pages(folder, count, sizes=(5_000, 48_000)):
    """Writes 0.html, 1.html … of these sizes in bytes, the last a bit longer."""
    os.makedirs(folder, exist_ok=True)
    maker = PageMaker()
    for number in range(count):
        with open(os.path.join(folder, f"{number}.html"), "wb") as file:
            file.write(maker.page(number, sizes).encode())
