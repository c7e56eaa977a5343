-- Wireshark and tshark show the protocols of Socket Lab with this file:
--
--     wireshark -X lua_script:crates/proto/dissector/socket-lab.lua
--     tshark    -X lua_script:crates/proto/dissector/socket-lab.lua -i lo -Y socketlab
--
-- Frames of echo, ident and auth (PROTOCOL.md) are recognised on TCP ports 9090, 9190 and 9290, and the chat (CHAT.md) on UDP
-- port 9390. For another port use "Decode As". Raw echo (RFC 862) has no frames, and TLS is shown by Wireshark's own dissector.

local HEADER_BYTES = 4
local MAX_PAYLOAD_BYTES = 1048576

local frames = Proto("socketlab", "Socket Lab frames")
local f = frames.fields
f.length = ProtoField.uint32("socketlab.length", "Length in bytes", base.DEC)
f.text = ProtoField.string("socketlab.text", "Text", base.UNICODE)
f.kind = ProtoField.string("socketlab.type", "Message type", base.UNICODE)
local too_long = ProtoExpert.new("socketlab.too_long", "The length is over 1 MiB", expert.group.MALFORMED, expert.severity.ERROR)
frames.experts = { too_long }

-- The value of "type" in a JSON object; nil where the text is none.
local function json_type(text)
  if text:match("^%s*{") then
    return text:match('"type"%s*:%s*"([%w_]+)"')
  end
end

local function dissect_frame(tvb, pinfo, tree)
  pinfo.cols.protocol = "SocketLab"
  local length = tvb(0, HEADER_BYTES):uint()
  local branch = tree:add(frames, tvb(), "Socket Lab frame, " .. length .. " bytes")
  local header = branch:add(f.length, tvb(0, HEADER_BYTES))
  if length > MAX_PAYLOAD_BYTES then
    header:add_proto_expert_info(too_long)
    return tvb:len()
  end
  local summary = "empty message"
  if length > 0 then
    local payload = tvb(HEADER_BYTES, length)
    branch:add_packet_field(f.text, payload, ENC_UTF_8)
    local kind = json_type(payload:string(ENC_UTF_8))
    if kind then
      branch:add(f.kind, payload, kind):set_generated()
    end
    summary = kind or (length .. " bytes of text")
  end
  pinfo.cols.info:append(" [" .. summary .. "]")
  return tvb:len()
end

local function frame_length(tvb, _, offset)
  local length = tvb(offset, HEADER_BYTES):uint()
  if length > MAX_PAYLOAD_BYTES then
    -- Such a stream cannot be read any further.
    return tvb:len() - offset
  end
  return HEADER_BYTES + length
end

function frames.dissector(tvb, pinfo, tree)
  -- The first byte of a TLS record is 0x16, which no frame of up to 1 MiB begins with.
  if tvb:len() > 0 and tvb(0, 1):uint() == 0x16 then
    local tls = Dissector.get("tls")
    return tls:call(tvb, pinfo, tree)
  end
  dissect_tcp_pdus(tvb, tree, HEADER_BYTES, frame_length, dissect_frame)
  return tvb:len()
end

local tcp = DissectorTable.get("tcp.port")
for _, port in ipairs({ 9090, 9190, 9290 }) do
  tcp:add(port, frames)
end

-- The chat.

local chat = Proto("socketlab_chat", "Socket Lab chat")
local c = chat.fields
local KINDS = { [1] = "sealed", [2] = "plaintext", [3] = "reset" }
local REASONS = {
  [0] = "quit", [1] = "stopping", [2] = "too slow", [3] = "timed out", [4] = "kicked", [5] = "banned", [6] = "taken over", [255] = "other",
}
c.kind = ProtoField.uint8("socketlab_chat.kind", "Kind", base.DEC, KINDS)
c.session = ProtoField.bytes("socketlab_chat.session", "Session")
c.number = ProtoField.uint64("socketlab_chat.number", "Packet number", base.DEC)
c.sealed = ProtoField.bytes("socketlab_chat.sealed", "Sealed body")
c.token = ProtoField.bytes("socketlab_chat.token", "Reset token")
c.handshake = ProtoField.string("socketlab_chat.handshake", "Handshake", base.UNICODE)
c.largest = ProtoField.uint64("socketlab_chat.ack.largest", "Largest packet received", base.DEC)
c.delay = ProtoField.uint16("socketlab_chat.ack.delay", "Acknowledgement delay in ms", base.DEC)
c.earlier = ProtoField.uint64("socketlab_chat.ack.earlier", "Earlier packets", base.HEX)
c.through = ProtoField.uint64("socketlab_chat.ack.through", "Messages through", base.DEC)
c.seq = ProtoField.uint64("socketlab_chat.seq", "Sequence number", base.DEC)
c.flags = ProtoField.uint8("socketlab_chat.flags", "Flags (1: more parts, 2: history)", base.HEX)
c.length = ProtoField.uint16("socketlab_chat.length", "Length", base.DEC)
c.message = ProtoField.string("socketlab_chat.message", "Message part", base.UNICODE)
c.challenge = ProtoField.bytes("socketlab_chat.challenge", "Path challenge")
c.response = ProtoField.bytes("socketlab_chat.response", "Path response")
c.reason = ProtoField.uint8("socketlab_chat.reason", "Close, reason", base.DEC, REASONS)
local malformed = ProtoExpert.new("socketlab_chat.malformed", "Not a body of version 2", expert.group.MALFORMED, expert.severity.ERROR)
chat.experts = { malformed }

-- Each kind of frame in a plaintext body: the bytes that it needs, and how it is shown. The second result is its length.
local FRAMES = {
  [1] = { 27, function(tvb, tree)
    local ack = tree:add(chat, tvb(0, 27), "Acknowledgement")
    ack:add(c.largest, tvb(1, 8))
    ack:add(c.delay, tvb(9, 2))
    ack:add(c.earlier, tvb(11, 8))
    ack:add(c.through, tvb(19, 8))
    return "ack", 27
  end },
  [2] = { 12, function(tvb, tree)
    local length = tvb(10, 2):uint()
    if tvb:len() < 12 + length then
      return nil
    end
    local part = tree:add(chat, tvb(0, 12 + length), "Message part")
    part:add(c.seq, tvb(1, 8))
    part:add(c.flags, tvb(9, 1))
    part:add(c.length, tvb(10, 2))
    if length > 0 then
      part:add_packet_field(c.message, tvb(12, length), ENC_UTF_8)
    end
    return "message", 12 + length
  end },
  [3] = { 1, function(tvb, tree)
    tree:add(chat, tvb(0, 1), "Ping")
    return "ping", 1
  end },
  [4] = { 9, function(tvb, tree)
    tree:add(c.challenge, tvb(1, 8))
    return "path challenge", 9
  end },
  [5] = { 9, function(tvb, tree)
    tree:add(c.response, tvb(1, 8))
    return "path response", 9
  end },
  [6] = { 2, function(tvb, tree)
    tree:add(c.reason, tvb(1, 1))
    return "close", 2
  end },
}

local function dissect_body(tvb, tree)
  local names, at = {}, 0
  while at < tvb:len() do
    local rest = tvb(at):tvb()
    local frame = FRAMES[rest(0, 1):uint()]
    local name, length
    if frame and rest:len() >= frame[1] then
      name, length = frame[2](rest, tree)
    end
    if not name then
      tree:add_proto_expert_info(malformed)
      break
    end
    names[#names + 1] = name
    at = at + length
  end
  return table.concat(names, ", ")
end

function chat.dissector(tvb, pinfo, tree)
  if tvb:len() == 0 then
    return 0
  end
  pinfo.cols.protocol = "SocketLab"
  local branch = tree:add(chat, tvb(), "Socket Lab chat")
  if tvb(0, 1):uint() == 0x7b then
    branch:add_packet_field(c.handshake, tvb(), ENC_UTF_8)
    pinfo.cols.info = "handshake: " .. (json_type(tvb():string(ENC_UTF_8)) or "?")
    return tvb:len()
  end
  local kind = KINDS[tvb(0, 1):uint()]
  if not kind or tvb:len() < 25 then
    branch:add_proto_expert_info(malformed)
    return tvb:len()
  end
  branch:add(c.kind, tvb(0, 1))
  branch:add(c.session, tvb(1, 16))
  if kind == "reset" then
    branch:add(c.token, tvb(17))
    pinfo.cols.info = "reset"
    return tvb:len()
  end
  branch:add(c.number, tvb(17, 8))
  local what = "sealed body"
  if kind == "plaintext" and tvb:len() > 25 then
    what = dissect_body(tvb(25):tvb(), branch)
  elseif tvb:len() > 25 then
    branch:add(c.sealed, tvb(25))
  end
  pinfo.cols.info = "packet " .. tostring(tvb(17, 8):uint64()) .. ": " .. what
  return tvb:len()
end

DissectorTable.get("udp.port"):add(9390, chat)
