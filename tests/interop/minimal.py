"""A member of the chat: minimal.py PORT NICK. Sends each line of stdin, prints each message that arrives."""
import base64, hashlib, json, secrets, select, socket, struct, sys, time
from noise import Initiator, number_nonce, open_sealed, seal

def b64(data): return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
def unb64(text): return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
def compact(**fields): return json.dumps(fields, separators=(",", ":")).encode()

def ask(datagram, kind):  # repeats a datagram of the handshake until it is answered
    while True:
        sock.send(datagram)
        while select.select([sock], [], [], 0.5)[0]:
            if json.loads(answer := sock.recv(2048))["type"] == kind:
                return answer

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", int(sys.argv[1])))
nonce = b64(secrets.token_bytes(16))
hello = compact(type="hello", versions=[2], features=["sealed"], nonce=nonce, pad="")
hello = hello[:-2] + b"0" * (1200 - len(hello)) + b'"}'
cookie = ask(hello, "cookie")
noise = Initiator(secrets.token_bytes(32), hashlib.sha256(hello).digest() + cookie)
first = compact(type="noise", step=1, nonce=nonce, cookie=json.loads(cookie)["cookie"], noise=b64(noise.first()))
noise.second(unb64(json.loads(ask(first, "noise"))["noise"]))  # gives the server's key, to compare with a known one
third = b64(noise.third(compact(nick=sys.argv[2], history=10)))
sending, receiving = noise.keys()
answer = json.loads(ask(compact(type="noise", step=3, nonce=nonce, noise=third), "answer"))
welcome = json.loads(open_sealed(receiving, number_nonce(0), unb64(answer["sealed"])))
if welcome["type"] != "welcome":
    sys.exit(welcome["message"])
session, stdin, got, parts, text = unb64(welcome["session"]), open(0, "rb", buffering=0), set(), {}, b""
packet = through = seq = sent_at = 0
flying = None  # the part that is not acknowledged yet: one message at a time

def send(frames):  # every packet acknowledges what has come
    global packet
    if got:
        earlier = sum(1 << i for i in range(64) if max(got) - 1 - i in got)
        frames = struct.pack(">BQHQQ", 1, max(got), 0, earlier, through) + frames
    packet += 1
    sock.send(b"\1" + session + struct.pack(">Q", packet) + seal(sending, number_nonce(packet), frames))

while True:
    ready = select.select([sock] if flying else [sock, stdin], [], [], 0.1)[0]
    if sock in ready and (datagram := sock.recv(2048))[0] == 1:
        number, asks = int.from_bytes(datagram[17:25], "big"), False
        body = open_sealed(receiving, number_nonce(number), datagram[25:]) if number not in got else b""
        got.add(number)
        while body:
            kind = body[0]
            size = {1: 27, 3: 1, 4: 9, 5: 9, 6: 2}.get(kind) or 12 + int.from_bytes(body[10:12], "big")
            if kind == 1 and int.from_bytes(body[19:27], "big") == seq:
                flying = None  # the message has arrived
            elif kind == 2:
                parts[int.from_bytes(body[1:9], "big")] = body[9], body[12:size]
            elif kind == 6:
                sys.exit("the server closed the session")
            body, asks = body[size:], asks or kind in (2, 3)
        while through + 1 in parts:
            through, text = through + 1, text + parts[through + 1][1]
            if not parts[through][0] & 1:  # no other part follows
                print(text.decode(), flush=True)
                text = b""
        if asks:
            send(b"")
    if stdin in ready:
        if not (line := stdin.readline()):
            send(b"\6\0")
            break
        message, seq, sent_at = compact(type="say", text=line.decode().rstrip("\n")), seq + 1, 0
        flying = struct.pack(">BQBH", 2, seq, 0, len(message)) + message
    if flying and time.monotonic() > sent_at + 0.3:  # new, or it or its acknowledgement was lost
        sent_at = time.monotonic()
        send(flying)
