/** Runs one command and ends with its status, as Java programs do: javac -d /tmp/pidlab-init-java certify/inits/Command.java */
public class Command {
    public static void main(String[] words) throws Exception {
        // Of a command that was killed it gives 128 and the signal.
        System.exit(new ProcessBuilder(words).inheritIO().start().waitFor());
    }
}
