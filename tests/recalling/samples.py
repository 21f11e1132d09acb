"""Texts of the kinds that sessions have, and how many tokens the worst of three tokenizers makes of each."""

from __future__ import annotations

SAMPLES = {
    "The predicted high water for Norderhaven is about 25 minutes late around spring tides. Neaps are fine.": 24,
    'def read_tide_table(path: Path, *, strict: bool = False) -> list[Row]:\n    with path.open(encoding="utf-8") as file:\n        return [parse(line) for line in file if line.strip()]\n': 56,
    '\t\tif err := s.push(ctx, batch); err != nil {\n\t\t\treturn fmt.Errorf("push %s: %w", batch.ID, err)\n\t\t}\n': 42,
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08": 44,
    "033c8aac-afee-4c13-846b-15cd785eb263 claude-code/0f3a81c2#41": 34,
    "U29tZSBieXRlcyB0aGF0IG1lYW4gbm90aGluZyBhdCBhbGwsIGp1c3QgbG9uZyBlbm91Z2g=": 52,
    "bqzxkcvwpmrtlhgfdsnjkqwzxvbnmprtlkhgfdsqwrtpz": 25,
    "E   AssertionError: assert 3 == 4\nE    +  where 3 = len([1, 2, 3])\ntests/test_x.py:12: AssertionError": 39,
    "数据库连接失败,请检查配置文件中的端口号。": 15,
    "Приведённый текст проверяет оценку.": 17,
    "यह एक परीक्षण वाक्य है": 25,
    "😀🎉🚀👩\u200d👩\u200d👧": 21,
    "Übergrößenträger äußern sich.": 14,
    "| name | value |\n|------|-------|\n| a    | 1     |\n": 20,
    '{"type":"tool_use","id":"toolu_01","input":{"command":"ls -la"}}': 22,
    "npm ERR! code ERESOLVE\nnpm ERR! ERESOLVE unable to resolve dependency tree\nnpm ERR! Found: react@18.2.0": 34,
    "2026-02-03T06:34:50Z 10.0.0.1 3.14159265358979": 29,
}
