# Serves kent twice, in plain HTTP and with TLS, and prints both ports. The folder named by the argument gets the
# certificate of the authority.
import datetime
import ipaddress
import os
import sys
import threading

threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from kent.app import create_app
from werkzeug.serving import make_server

folder = sys.argv[1]
now = datetime.datetime.now(datetime.timezone.utc)


def certificate(name, key, issuer, issuer_key, extension):
    named = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(extension, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def write(name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


PEM = serialization.Encoding.PEM
authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
authority = certificate(
    "authority", authority_key, "authority", authority_key, x509.BasicConstraints(ca=True, path_length=None)
)
names = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
)
own = certificate("kent", key, "authority", authority_key, names)
write("authority.pem", authority.public_bytes(PEM))
key_file = write(
    "key.pem",
    key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
)
tls = (write("certificate.pem", own.public_bytes(PEM)), key_file)

app = create_app()
plain = make_server("127.0.0.1", 0, app, threaded=True)
secure = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=tls)
threading.Thread(target=secure.serve_forever, daemon=True).start()
print(plain.server_port, secure.server_port, flush=True)
plain.serve_forever()
