"""prices against six vendors."""
import time
import unittest

import fantail

VENDORS = {
    "Normal": b'{"price": 62.45, "currency": "USD", "stock": true}',
    "Tied": b'{"price": "62.450", "currency": "usd", "stock": 3}',
    "Slow": b'{"price": 1, "currency": "USD", "stock": true}',
    "OutOfStock": b'{"price": 40.00, "currency": "USD", "stock": false}',
    "Broken": b'{"price": 62.45, "currency": ',
    "Yen": b'{"price": 9000, "currency": "JPY", "stock": "in stock"}',
    "Failing": b"{}",
}


class Prices(fantail.SystemTest):
    def answer(self, path):
        vendor = path.split("/")[1]
        if vendor == "Slow":
            # Longer than its timeout: the connection is given up meanwhile.
            time.sleep(1)
        if vendor == "Failing":
            return 500, {}, b"{}"
        self.assertEqual("B%2F1", path.split("/")[2])
        return 200, {"Content-Type": "application/json"}, VENDORS[vendor]

    def vendors_file(self, server, names):
        lines = ["vendors:"]
        for name in names:
            lines += [f"  - name: {name}", f"    url: {server.url}/{name}/{{product}}", "    timeout: 500ms",
                      "    price: /price", "    currency: /currency", "    in_stock: /stock"]
        with open(self.path("vendors.yaml"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return self.path("vendors.yaml")

    def test_a_row_for_every_vendor_and_the_best_per_currency(self):
        server = fantail.WebServer(self, self.answer)
        code, rows, report, errors = self.run_fantail(
            "prices", "--product", "B/1", "--vendors", self.vendors_file(server, VENDORS))
        self.assertEqual(1, code)
        self.assert_balanced(report)
        rows = {row["vendor"]: row for row in rows}
        self.assertEqual(set(VENDORS), set(rows))
        self.assertEqual({"B/1"}, {row["product"] for row in rows.values()})
        self.assertEqual(("62.45", "USD", True), tuple(rows["Normal"][name] for name in ("price", "currency", "in_stock")))
        self.assertEqual(("62.45", "USD", True), tuple(rows["Tied"][name] for name in ("price", "currency", "in_stock")))
        self.assertEqual(("9000", "JPY"), (rows["Yen"]["price"], rows["Yen"]["currency"]))
        self.assertEqual(("40.00", False), (rows["OutOfStock"]["price"], rows["OutOfStock"]["in_stock"]))
        expected = {"Slow": "timeout", "Broken": "bad_json", "Failing": "http_status"}
        self.assertEqual(expected, {name: rows[name]["error"]["code"] for name in expected})
        best = {each["currency"]: each for each in report["aggregate"]["best"]}
        self.assertEqual(("62.45", ["Normal", "Tied"]), (best["USD"]["price"], best["USD"]["vendors"]))
        self.assertEqual(["Yen"], best["JPY"]["vendors"])
        self.assertIn("best: Normal and Tied at USD 62.45", errors)
        self.assertIn("best: Yen at JPY 9000", errors)

    def test_each_product_is_a_race_of_its_own(self):
        def answer(path):
            if path.startswith("/Slow/"):
                time.sleep(0.4)
            return 200, {"Content-Type": "application/json"}, b'{"price": "5.00", "currency": "USD", "stock": true}'

        server = fantail.WebServer(self, answer)
        vendors = self.vendors_file(server, ["Slow", "Quick"])
        with open(self.path("products.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(f'{{"input": "P{number}"}}\n' for number in range(20))
        for given in (("--input", self.path("products.jsonl")), [word for number in range(20) for word in ("--product", f"P{number}")]):
            code, rows, report, errors = self.run_fantail("--input-format", "jsonl", "--first", "prices", *given, "--vendors", vendors)
            self.assertEqual(0, code, errors)
            self.assert_balanced(report)
            self.assertEqual((20, 20, 40), (report["first"]["groups"], report["first"]["won"], report["jobs"]["submitted"]))
            self.assertEqual({f"P{number}" for number in range(20)}, {row["group"] for row in rows if row["status"] == "ok"})
            self.assertEqual({f"P{number}@{name}" for number in range(20) for name in ("Slow", "Quick")}, {row["input"] for row in rows})

    def test_products_from_a_file(self):
        server = fantail.WebServer(self, self.answer)
        code, _, report, errors = self.run_fantail("prices", "--input", "-", "--vendors", self.vendors_file(server, ["Normal", "Tied"]),
                                                   input_bytes=b"B/1\n\nB/1\n")
        self.assertEqual((0, 4), (code, report["jobs"]["ok"]), errors)
        for arguments, words in (((), "say which products"), (("--product", "a", "--input", "b"), "not both")):
            code, _, errors = self.finish(self.start("run", "prices", *arguments, "--vendors", self.path("vendors.yaml")))
            self.assertEqual(2, code)
            self.assertIn(words, errors)

    def test_nothing_in_stock(self):
        server = fantail.WebServer(self, self.answer)
        code, _, _, errors = self.run_fantail(
            "prices", "--product", "B/1", "--vendors", self.vendors_file(server, ["OutOfStock"]))
        self.assertEqual(0, code)
        self.assertIn("best: none in stock (1 quote)", errors)


if __name__ == "__main__":
    unittest.main()
