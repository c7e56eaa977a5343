#!/usr/bin/env python3
"""Checks noise.py against the vectors of RFC 7748 and RFC 8439."""

import unittest

from noise import BASE, Forged, chacha20_block, open_sealed, poly1305, seal, x25519


def h(text):
    return bytes.fromhex(text.replace(" ", ""))


class X25519(unittest.TestCase):
    def test_section_5_2(self):
        for scalar, point, product in (
            (
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
            ),
            (
                "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
            ),
        ):
            self.assertEqual(x25519(h(scalar), h(point)).hex(), product)

    def test_section_6_1(self):
        alice = h("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
        bob = h("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
        public = x25519(alice, BASE)
        self.assertEqual(public.hex(), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
        secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
        self.assertEqual(x25519(bob, public).hex(), secret)
        self.assertEqual(x25519(alice, x25519(bob, BASE)).hex(), secret)


class ChaCha20Poly1305(unittest.TestCase):
    def test_section_2_3_2(self):
        block = chacha20_block(bytes(range(32)), 1, h("000000090000004a00000000"))
        self.assertEqual(block.hex()[:32], "10f1e7e4d13b5915500fdd1fa32071c4")

    def test_section_2_5_2(self):
        key = h("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
        tag = poly1305(key, b"Cryptographic Forum Research Group")
        self.assertEqual(tag.hex(), "a8061dc1305136c6c22b8baf0c0127a9")

    def test_section_2_8_2(self):
        text = (
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
            b"sunscreen would be it."
        )
        key, nonce = bytes(range(0x80, 0xA0)), h("070000004041424344454647")
        associated = h("50515253c0c1c2c3c4c5c6c7")
        sealed = seal(key, nonce, text, associated)
        self.assertEqual(sealed[:16].hex(), "d31a8d34648e60db7b86afbc53ef7ec2")
        self.assertEqual(sealed[-16:].hex(), "1ae10b594f09e26a7e902ecbd0600691")
        self.assertEqual(open_sealed(key, nonce, sealed, associated), text)
        with self.assertRaises(Forged):
            open_sealed(key, nonce, sealed[:-1] + b"\0", associated)


if __name__ == "__main__":
    unittest.main()
