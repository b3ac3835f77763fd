/** Starts a server as io.trino.server.TrinoServer does, and ends when stdin does: none outlives the tests that it serves. */
public class Start {
  public static void main(String[] release) {
    Thread watch = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {}
      } catch (java.io.IOException closed) {
        // Then it has ended as well.
      }
      Runtime.getRuntime().halt(0);
    });
    watch.setDaemon(true);
    watch.start();
    new io.trino.server.Server().start(release[0]);
  }
}
