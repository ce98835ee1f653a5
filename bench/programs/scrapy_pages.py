#!/usr/bin/env python3
"""Gets pages with scrapy and takes from each what fantail takes: title, number of words, links.

usage: scrapy_pages.py URLS-FILE IN-FLIGHT
"""
import json
import resource
import sys
import time
from urllib.parse import urldefrag

import scrapy
from scrapy.crawler import CrawlerProcess

TOTALS = {"pages": 0, "words": 0, "links": 0}
WORDS = "//body//text()[not(ancestor::script or ancestor::style or ancestor::template or ancestor::noscript)]"


class Pages(scrapy.Spider):
    name = "pages"

    def start_requests(self):
        with open(sys.argv[1], encoding="utf-8") as file:
            for line in file:
                yield scrapy.Request(line.strip(), dont_filter=True)

    def parse(self, response, **_):
        title = response.xpath("//title/text()").get()
        links = {urldefrag(response.urljoin(href)).url for href in response.xpath("//a/@href | //area/@href").getall()}
        TOTALS["pages"] += bool(title)
        TOTALS["words"] += sum(len(text.split()) for text in response.xpath(WORDS).getall())
        TOTALS["links"] += sum(link.startswith("http") for link in links)


def main():
    process = CrawlerProcess({"CONCURRENT_REQUESTS": int(sys.argv[2]), "CONCURRENT_REQUESTS_PER_DOMAIN": int(sys.argv[2]),
                              "LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "ROBOTSTXT_OBEY": False})
    process.crawl(Pages)
    start = time.monotonic()
    process.start()
    took = time.monotonic() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    with open(sys.argv[1], encoding="utf-8") as file:
        expected = sum(1 for _ in file)
    if TOTALS["pages"] != expected:
        sys.exit(f"{TOTALS['pages']} of {expected} pages came")
    print(json.dumps({**TOTALS, "rate": expected / took, "cpu": (usage.ru_utime + usage.ru_stime) / expected * 1e6}))


if __name__ == "__main__":
    main()
