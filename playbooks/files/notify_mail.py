# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends the mail that standard input describes as JSON; notify_mail.yml runs it."""

from __future__ import annotations

import json
import smtplib
import ssl
import sys
from email.message import EmailMessage

mail = json.load(sys.stdin)
message = EmailMessage()
message["From"], message["To"], message["Subject"] = mail["from"], ", ".join(mail["to"]), mail["subject"]
message.set_content(mail["text"])
try:
    context = ssl.create_default_context()
    where = mail["host"], mail["port"]
    implicit = mail["tls"] == "tls"
    # Made here and not in the `with`, so that both kinds are left in the same way.
    server = smtplib.SMTP_SSL(*where, timeout=30, context=context) if implicit else smtplib.SMTP(*where, timeout=30)
    with server as connection:
        if mail["tls"] == "starttls":
            connection.starttls(context=context)
        if mail["username"]:
            connection.login(mail["username"], mail["password"])
        connection.send_message(message)
except (OSError, smtplib.SMTPException) as error:
    # The answer of the server may repeat its input, so only the kind of failure is printed.
    sys.exit(f"{mail['host']} did not take it ({type(error).__name__}).")
