import TensorFlowLite
import UIKit

enum CartoonizerError: LocalizedError {
    case missingFile(String)
    case freeSizeOnGpu(String)

    var errorDescription: String? {
        switch self {
        case .missingFile(let file):
            return "\(file).tflite is not in the app: drag it into Xcode's project and tick the app as its target."
        case .freeSizeOnGpu(let file):
            return "The GPU does not take \(file), whose size is free: use the file with a size in its name (-512x512)."
        }
    }
}

/// Turns photos into cartoons, with a .tflite file from the app's bundle, which it opens at the first photo.
///
/// It is an actor because a cartoon takes too long for the main thread, and the interpreter is not thread-safe.
actor Cartoonizer {
    private let file: String
    private let useGpu: Bool
    private let longSide: Int
    private let isFixed: Bool
    private var interpreter: Interpreter?
    private var resizedTo: Size?

    /// - Parameters:
    ///   - file: any exported file, without `.tflite`. Keep its name: only the name shows whether the size is fixed.
    ///   - useGpu: use the GPU if there is one, and the CPU otherwise. The GPU needs a file of fixed size.
    ///   - longSide: longer side, in pixels, at which larger photos are drawn: the style's drawing size, or less for
    ///     speed. A file of fixed size has its own.
    init(file: String, useGpu: Bool = false, longSide: Int = 800) {
        self.file = file
        self.useGpu = useGpu
        self.longSide = longSide
        isFixed = file.range(of: "-[0-9]+x[0-9]+$", options: .regularExpression) != nil
    }

    /// Return the cartoon of a photo of any size, with the photo's size.
    func draw(_ photo: UIImage) throws -> UIImage {
        let interpreter = try open()
        let input = try interpreter.input(at: 0)
        let fixed = isFixed ? Size(width: input.shape.dimensions[2], height: input.shape.dimensions[1]) : nil
        let photoSize = Size(width: Int(photo.size.width * photo.scale), height: Int(photo.size.height * photo.scale))
        let picture = scaled(photoSize, into: fixed ?? Size(width: longSide, height: longSide))
        let canvas = fixed ?? padded(picture)
        if !isFixed && canvas != resizedTo {
            try interpreter.resizeInput(at: 0, to: [1, canvas.height, canvas.width, 3])
            try interpreter.allocateTensors()
            resizedTo = canvas
        }

        let levelsIn = rgb(ofRGBA: pixels(of: photo, at: picture), picture: picture, canvas: canvas)
        let isFloat = input.dataType == .float32
        try interpreter.copy(isFloat ? data(of: floats(ofLevels: levelsIn)) : Data(levelsIn), toInputAt: 0)
        try interpreter.invoke()
        let output = try interpreter.output(at: 0).data
        let levelsOut = isFloat ? levels(ofFloats: floats(in: output)) : [UInt8](output)
        let drawn = image(of: rgba(ofRGB: levelsOut, canvas: canvas, picture: picture), size: picture)
        return image(of: pixels(of: drawn, at: photoSize), size: photoSize)
    }

    private func open() throws -> Interpreter {
        if let interpreter { return interpreter }
        guard isFixed || !useGpu else { throw CartoonizerError.freeSizeOnGpu(file) }
        guard let path = Bundle.main.path(forResource: file, ofType: "tflite") else {
            throw CartoonizerError.missingFile(file)
        }
        let opened = try (useGpu ? openOnGpu(path) : nil) ?? openOnCpu(path)
        interpreter = opened
        return opened
    }

    private func openOnCpu(_ path: String) throws -> Interpreter {
        var options = Interpreter.Options()
        options.threadCount = 2  // an iPhone has two large cores, and they would wait for the small ones
        options.isXNNPackEnabled = true
        let opened = try Interpreter(modelPath: path, options: options)
        try opened.allocateTensors()
        return opened
    }

    /// Return nil if the GPU cannot be used, so that the CPU is.
    private func openOnGpu(_ path: String) -> Interpreter? {
        #if targetEnvironment(simulator)
            return nil  // the delegate does not support it
        #else
            // Full precision is the default. In half precision, the sums of instance normalisation overflow.
            guard let opened = try? Interpreter(modelPath: path, delegates: [MetalDelegate()]) else { return nil }
            return (try? opened.allocateTensors()) == nil ? nil : opened
        #endif
    }
}

private func data(of floats: [Float]) -> Data {
    floats.withUnsafeBufferPointer { Data(buffer: $0) }
}

private func floats(in data: Data) -> [Float] {
    data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
}

/// Return RGBA of the photo at a size, upright: `UIImage.draw` applies the EXIF orientation.
private func pixels(of photo: UIImage, at size: Size) -> [UInt8] {
    var rgba = [UInt8](repeating: 255, count: size.width * size.height * 4)  // white behind transparent parts
    withContext(on: &rgba, size: size) { context in
        context.interpolationQuality = .high
        context.translateBy(x: 0, y: CGFloat(size.height))  // UIKit counts rows from the top,
        context.scaleBy(x: 1, y: -1)  // Core Graphics from the bottom
        UIGraphicsPushContext(context)
        photo.draw(in: CGRect(x: 0, y: 0, width: size.width, height: size.height))
        UIGraphicsPopContext()
    }
    return rgba
}

private func image(of rgba: [UInt8], size: Size) -> UIImage {
    var rgba = rgba
    return withContext(on: &rgba, size: size) { UIImage(cgImage: $0.makeImage()!) }
}

private func withContext<Result>(on rgba: inout [UInt8], size: Size, _ body: (CGContext) -> Result) -> Result {
    rgba.withUnsafeMutableBytes { bytes in
        // Neither is nil: iOS knows this colour space and this format.
        let context = CGContext(
            data: bytes.baseAddress, width: size.width, height: size.height, bitsPerComponent: 8,
            bytesPerRow: size.width * 4, space: CGColorSpace(name: CGColorSpace.sRGB)!,
            bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)!
        return body(context)
    }
}
