import PhotosUI
import SwiftUI

/// Pick a photo; its cartoon appears above the button.
struct ContentView: View {
    @State private var cartoonizer = Cartoonizer(file: "pepper-fp16-512x512", useGpu: true)
    @State private var picked: PhotosPickerItem?
    @State private var cartoon: UIImage?
    @State private var message = ""

    var body: some View {
        VStack {
            if let cartoon {
                Image(uiImage: cartoon).resizable().scaledToFit()
            }
            Text(message)
            PhotosPicker("Pick a photo", selection: $picked, matching: .images)
        }
        .task(id: picked) { await draw() }
    }

    @MainActor
    private func draw() async {
        guard let picked else { return }
        message = "Cartoonizing …"
        do {
            guard let data = try await picked.loadTransferable(type: Data.self), let photo = UIImage(data: data) else {
                message = "This photo cannot be read: pick another one."
                return
            }
            cartoon = try await cartoonizer.draw(photo)
            message = ""
        } catch {
            message = error.localizedDescription
        }
    }
}
