"""A member of the chat in eighty lines: minimal.py PORT NICK. Sends each line of stdin, prints what arrives."""
import base64, hashlib, json, secrets, select, socket, struct, sys, time
from noise import Initiator, number_nonce, open_sealed, seal

def b64(data): return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
def unb64(text): return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
def compact(fields): return json.dumps(fields, separators=(",", ":")).encode()

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", int(sys.argv[1])))
sock.settimeout(0.5)

def ask(datagram, kind):  # repeats a datagram of the handshake until it is answered
    while True:
        sock.send(datagram)
        try:
            answer = sock.recv(2048)
        except socket.timeout:
            continue
        if json.loads(answer)["type"] == kind:
            return answer

nonce = b64(secrets.token_bytes(16))
hello = {"type": "hello", "versions": [2], "features": ["sealed"], "nonce": nonce, "pad": ""}
hello["pad"] = "0" * (1200 - len(compact(hello)))
cookie = ask(compact(hello), "cookie")
noise = Initiator(secrets.token_bytes(32), hashlib.sha256(compact(hello)).digest() + cookie)
step1 = {"type": "noise", "step": 1, "nonce": nonce, "cookie": json.loads(cookie)["cookie"], "noise": b64(noise.first())}
noise.second(unb64(json.loads(ask(compact(step1), "noise"))["noise"]))  # gives the server's key, to be compared with a known one
third = b64(noise.third(json.dumps({"nick": sys.argv[2], "history": 10}).encode()))
sending, receiving = noise.keys()
answer = ask(compact({"type": "noise", "step": 3, "nonce": nonce, "noise": third}), "answer")
welcome = json.loads(open_sealed(receiving, number_nonce(0), unb64(json.loads(answer)["sealed"])))
if welcome["type"] != "welcome":
    sys.exit(welcome["message"])
session, packet, got, through, parts, text = unb64(welcome["session"]), 0, set(), 0, {}, b""
waiting, flying, seq = [], None, 0  # one message at a time: (its frame, when it was sent)

def send(frames):  # every packet acknowledges what has come
    global packet
    if got:
        earlier = sum(1 << i for i in range(64) if max(got) - 1 - i in got)
        frames = struct.pack(">BQHQQ", 1, max(got), 0, earlier, through) + frames
    packet += 1
    sock.send(b"\1" + session + struct.pack(">Q", packet) + seal(sending, number_nonce(packet), frames))

while True:
    for ready in select.select([sock, sys.stdin] if len(waiting) < 8 else [sock], [], [], 0.1)[0]:
        if ready is sys.stdin:
            line = sys.stdin.readline()
            waiting += [compact({"type": "say", "text": line.rstrip("\n")})] if line else [None]
            continue
        datagram = sock.recv(2048)
        number = int.from_bytes(datagram[17:25], "big")
        if datagram[0] != 1 or number in got:
            continue
        body, asks = open_sealed(receiving, number_nonce(number), datagram[25:]), False
        got.add(number)
        while body:
            kind, size = body[0], {1: 27, 3: 1, 4: 9, 5: 9, 6: 2}.get(body[0]) or 12 + int.from_bytes(body[10:12], "big")
            if kind == 1 and flying and int.from_bytes(body[19:27], "big") >= seq:
                flying = None  # the message has arrived
            elif kind == 2:
                parts.setdefault(int.from_bytes(body[1:9], "big"), (body[9], body[12:size]))
            elif kind == 6:
                sys.exit("the server closed the session")
            body, asks = body[size:], asks or kind in (2, 3)
        while through + 1 in parts:
            through += 1
            more, data = parts[through]
            text += data
            if not more & 1:
                print(text.decode(), flush=True)
                text = b""
        if asks:
            send(b"")
    if flying is None and waiting:
        message, seq = waiting.pop(0), seq + 1
        if message is None:
            send(b"\6\0")
            break
        flying = [struct.pack(">BQBH", 2, seq, 0, len(message)) + message, 0]
    if flying and time.monotonic() > flying[1] + 0.3:
        flying[1] = time.monotonic()
        send(flying[0])
