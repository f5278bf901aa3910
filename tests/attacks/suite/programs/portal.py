"""A desktop portal that grants everything: portal.py LOG owns org.freedesktop.portal.Desktop and writes down what it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call, new_method_return
from jeepney.io.blocking import open_dbus_connection

log = Path(sys.argv[1])
with open_dbus_connection("SESSION") as bus:
    daemon = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    bus.send_and_get_reply(new_method_call(daemon, "RequestName", "su", ("org.freedesktop.portal.Desktop", 4)))
    log.write_text("ready\n")
    while True:
        message = bus.receive()
        if message.header.message_type is MessageType.method_call:
            with log.open("a") as written:
                written.write(f"{message.header.fields.get(HeaderFields.interface)}\n")
            bus.send(new_method_return(message, "o", ("/org/freedesktop/portal/desktop/request/1/1",)))
