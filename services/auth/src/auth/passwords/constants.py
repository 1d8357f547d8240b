import re

PASSWORD_MIN_LENGTH = 8
PASSWORD_MAX_LENGTH = 128
# A shorter part of an address or name is in too many good passwords by chance.
CONTAINED_MIN_LENGTH = 4

WORDS = re.compile(r"\s+")
"""Lists below are written as text, one word after the other."""

# Of 8 characters or more: shorter ones are refused for their length.
COMMON_PASSWORDS = frozenset(
    WORDS.split(
        """
        00000000 0123456789 0987654321 1029384756 11111111 1111111111 11112222 11223344 1122334455 12121212 123123123
        1234554321 12341234 12344321 12345678 123456789 1234567890 123456789a 12345678a 1234567a 1234abcd 123qwe123
        1234qwer 147258369 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 20202020 22222222 66666666
        741852963 77777777 789456123 7894561230 87654321 88888888 963852741 987654321 9876543210 99999999 a1234567
        a12345678 a123456789 aa123456 aa12345678 abc12345 abc123456 abc123abc abcd1234 abcdefgh abcdefghi access14
        adminadmin admin123 admin1234 administrator asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl asdfghjkl1
        baseball baseball1 basketball biteme123 blink182 broadsheet butterfly changeme changeme1 changeme123 charlie1
        chocolate computer computer1 corvette cristina danielle default1 dragon123 einstein elephant football
        football1 freedom1 garfield google123 hello123 hello1234 helloworld iloveyou iloveyou1 iloveyou2 internet
        jennifer jordan23 justin123 letmein1 letmein123 liverpool liverpool1 login123 lovelove marlboro master123
        maverick mercedes michael1 michelle midnight monkey12 monkey123 mustang1 mypassword nicholas nirvana1
        nothing1 p@ssw0rd p@ssword p4ssw0rd pa55word pa55w0rd pass1234 passw0rd passw0rd1 password password!
        password1 password1! password12 password123 password1234 passwort pokemon1 princess princess1 q1w2e3r4
        q1w2e3r4t5 qazwsxedc qazwsx123 qqqqqqqq qwer1234 qwerasdf qwert123 qwertyui qwertyuiop qwerty12 qwerty123
        qwerty1234 qwerty12345 qwerty123456 rockyou1 samantha samsung1 secret123 security shadow12 slipknot spiderman
        starwars steelers summer2024 summer2025 summer2026 sunshine sunshine1 superman superman1 swordfish test1234
        test12345 testtest tinkerbell trustno1 trustnoone user1234 victoria virginia welcome1 welcome123 whatever
        whatever1 william1 winter2024 winter2025 winter2026 xxxxxxxx zaq12wsx zaq1zaq1 zxcvbnm1 zxcvbnm123 zxcvbnmm
        """.strip()
    )
)
