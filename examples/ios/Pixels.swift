// Sizes and pixels as the files take them. Nothing here needs iOS, so that plain unit tests can check it.

struct Size: Equatable {
    var width: Int
    var height: Int
}

/// The size of `picture` when it is scaled down into `box`, with its proportions kept; it is never enlarged.
func scaled(_ picture: Size, into box: Size) -> Size {
    let scale = min(1, Double(box.width) / Double(picture.width), Double(box.height) / Double(picture.height))
    func scaled(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }
    return Size(width: scaled(picture.width), height: scaled(picture.height))
}

/// The next size that files of free size take: multiples of 4 from 8 up.
func padded(_ picture: Size) -> Size {
    func padded(_ side: Int) -> Int { max(8, (side + 3) / 4 * 4) }
    return Size(width: padded(picture.width), height: padded(picture.height))
}

/// The pixel at `index` of a side that goes on mirrored beyond its `size`: 0, 1 .. size-1, size-2 .. 1, 0, 1 ..
func mirrored(_ index: Int, _ size: Int) -> Int {
    let period = 2 * size - 2
    let position = index % max(period, 1)
    return min(position, period - position)
}

/// RGB [canvas.height, canvas.width, 3] with a picture in the upper left corner, mirrored beyond.
///
/// Mirrored, since the network normalises by the whole canvas: bars of one colour would change the picture's colours.
func rgb(ofRGBA rgba: [UInt8], picture: Size, canvas: Size) -> [UInt8] {
    var rgb = [UInt8]()
    rgb.reserveCapacity(canvas.width * canvas.height * 3)
    for y in 0..<canvas.height {
        let row = mirrored(y, picture.height) * picture.width
        for x in 0..<canvas.width {
            let pixel = (row + mirrored(x, picture.width)) * 4
            rgb.append(rgba[pixel])
            rgb.append(rgba[pixel + 1])
            rgb.append(rgba[pixel + 2])
        }
    }
    return rgb
}

/// The upper left corner of such RGB, of `picture`'s size, as opaque RGBA.
func rgba(ofRGB rgb: [UInt8], canvas: Size, picture: Size) -> [UInt8] {
    var rgba = [UInt8](repeating: 255, count: picture.width * picture.height * 4)
    for y in 0..<picture.height {
        for x in 0..<picture.width {
            for channel in 0..<3 {
                rgba[(y * picture.width + x) * 4 + channel] = rgb[(y * canvas.width + x) * 3 + channel]
            }
        }
    }
    return rgba
}

/// 0..255 -> [-1, 1], as the float32 files take it.
func floats(ofLevels levels: [UInt8]) -> [Float] {
    levels.map { Float($0) / 127.5 - 1 }
}

/// [-1, 1] -> 0..255; what lies outside is clipped.
func levels(ofFloats floats: [Float]) -> [UInt8] {
    // In this order, `max` turns a NaN into 0, which as a UInt8 would end the app.
    floats.map { UInt8(min(255, max(0, (($0 + 1) * 127.5).rounded()))) }
}
