"""Words that a visitor may write, and that no file may take for its own."""

NAME = "../..\\CON: =1+1 <b>Läufer</b> 走 \N{RIGHT-TO-LEFT OVERRIDE}gpj.exe"
TEXT = (
    "</p></title><script>alert(1)</script><img src=x onerror=alert(2)>\n"
    "# %%\n\"\"\" ''' {{ 7 * 7 }} {% raw %} ${x} \\input{/etc/passwd}\n"
    "---\n- key: [yes, no]\n=cmd|'/C calc'!A0 @SUM(1) [link](javascript:alert(3)) :red[x] & &amp; 走 😀"
)
