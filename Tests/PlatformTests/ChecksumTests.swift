import Platform
import Testing

@Suite("Checksums") struct ChecksumTests {
  /// What check values of checksums are given for; this is CRC-64/XZ.
  private let digits = Array("123456789".utf8)

  @Test("CRC-64 of the nine digits is that of the catalogue")
  func check() { #expect(digits.rawSpan.crc64(from: 0) == 0x995d_c9bb_df19_39fa) }

  @Test("begins where it is told to, and every bit counts")
  func parts() {
    #expect((Array("xy".utf8) + digits).rawSpan.crc64(from: 2) == digits.rawSpan.crc64(from: 0))
    for bit in 0..<72 {
      var changed = digits
      changed[bit / 8] ^= 1 << (bit % 8)
      #expect(changed.rawSpan.crc64(from: 0) != digits.rawSpan.crc64(from: 0))
    }
    #expect(digits.rawSpan.crc64(from: 9) == 0)
    #expect(digits.rawSpan.crc64(from: -1) == 0)
  }
}
