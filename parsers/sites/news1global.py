"""News1 Global, Korea, in English. WordPress with the tagDiv Newspaper theme."""

from parsers.site import Site

site = Site(
    name="news1global",
    domains=("news1global.com",),
    fronts=("https://news1global.com/",),
    timezone="Asia/Seoul",
    language="en",
)
