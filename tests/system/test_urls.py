"""urls against a real web server."""
import collections
import os
import subprocess
import tempfile
import unittest

import fantail

SERVER = """
gzip on; gzip_types text/html; gzip_min_length 1;
location /latin.html { charset iso-8859-1; }
location = /error { return 500; }
location = /loop { return 302 /loop; }
location = /moved { return 301 /page.html; }
location /slow.html { limit_rate 1k; gzip off; }
location /huge.html { gzip off; }
"""
FILES = {
    "page.html": b"<html><head><title>Fish &amp; <b>chips</title><base href='/sub/'></head><body>one two<br>three "
                 b"<a href='a.html#x'>a</a> <a href='/b'>b</a> <a href='//other.example/c'>c</a>"
                 b"<a href='mailto:x@y'>no</a><script>not words</script></body></html>",
    "latin.html": "<title>Café</title>été à la".encode("iso-8859-1"),
    "zipped.html": b"<title>zipped</title>" + b"word " * 5000,
    "slow.html": b"<title>slow</title>" + b"x" * 100000,
    "huge.html": b"<title>huge</title>" + b"x" * 300000,
}


class Urls(fantail.SystemTest):
    def test_each_page_its_row(self):
        url = fantail.start_nginx(self, SERVER, FILES)
        refused = f"http://127.0.0.1:{fantail.free_port()}/"
        names = ["page.html", "latin.html", "zipped.html", "missing.html", "error", "loop", "moved", "slow.html", "huge.html"]
        code, rows, report, _ = self.run_fantail(
            "-k", "urls", "--timeout", "1500ms", "--max-body", "200K", *[f"{url}/{name}" for name in names], refused,
            "ftp://example.com/", "no url")
        self.assertEqual(1, code)
        self.assert_balanced(report)
        rows = dict(zip(names + ["refused", "ftp", "junk"], rows))

        page = rows["page.html"]
        self.assertEqual("ok", page["status"])
        self.assertEqual(("Fish & <b>chips", 200, f"{url}/page.html"), (page["title"], page["status_code"], page["final_url"]))
        self.assertEqual(7, page["words"])  # one two three a b c no
        self.assertEqual([f"{url}/sub/a.html", f"{url}/b", "http://other.example/c"], page["links"])
        self.assertEqual(len(FILES["page.html"]), page["bytes"])
        self.assertEqual(("Café", 3), (rows["latin.html"]["title"], rows["latin.html"]["words"]))
        self.assertEqual((5000, len(FILES["zipped.html"])), (rows["zipped.html"]["words"], rows["zipped.html"]["bytes"]))
        self.assertEqual(("failed", 404), (rows["missing.html"]["status"], rows["missing.html"]["status_code"]))
        self.assertEqual(("failed", 500), (rows["error"]["status"], rows["error"]["status_code"]))
        self.assertEqual("http_status", rows["error"]["error"]["code"])
        self.assertEqual(f"{url}/page.html", rows["moved"]["final_url"])
        self.assertEqual("ok", rows["moved"]["status"])
        expected = {"loop": "too_many_redirects", "slow.html": "timeout", "huge.html": "body_too_large",
                    "refused": "connect", "ftp": "unsupported_scheme", "junk": "bad_url"}
        self.assertEqual(expected, {name: rows[name]["error"]["code"] for name in expected})
        codes = collections.Counter(str(row["status_code"]) for row in rows.values() if row["status_code"])
        self.assertEqual(dict(codes), report["aggregate"]["status_codes"])
        self.assertEqual(4, report["aggregate"]["pages"])

    def test_pages_over_tls_share_one_connection_by_http_2(self):
        folder = tempfile.TemporaryDirectory(prefix="fantail-tls-")
        self.addCleanup(folder.cleanup)
        key, certificate = os.path.join(folder.name, "key.pem"), os.path.join(folder.name, "certificate.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=fantail test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        port = fantail.free_port()
        fantail.start_nginx(self, f"""
            listen 127.0.0.1:{port} ssl http2; ssl_certificate {certificate}; ssl_certificate_key {key};
            location /protocol {{ default_type text/html; return 200 "<title>$server_protocol, connection $connection</title>"; }}
            """, {})
        urls = [f"https://127.0.0.1:{port}/protocol/{number}" for number in range(50)]
        code, rows, _, _ = self.run_fantail("-j1", "urls", "--cacert", certificate, "--per-host", "0", *urls)
        self.assertEqual(0, code)
        titles = {row["title"] for row in rows}
        self.assertEqual(1, len(titles), titles)
        self.assertTrue(titles.pop().startswith("HTTP/2.0, connection "))

    def test_headers_and_user_agent_are_sent(self):
        seen = []

        def answer(path):
            seen.append(path)
            return fantail.page()

        server = fantail.WebServer(self, answer)
        code, rows, _, _ = self.run_fantail("urls", "--header", "X-Test: yes", "--user-agent", "me/1", f"{server.url}/a?b=c#d")
        self.assertEqual((0, ["/a?b=c"]), (code, seen))
        self.assertEqual(2, rows[0]["words"])


if __name__ == "__main__":
    unittest.main()
